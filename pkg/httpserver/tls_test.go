package httpserver_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/telemetry"
)

// selfSigned writes a certificate of 127.0.0.1 and its key, and gives a pool that
// trusts it.
func selfSigned(t *testing.T) (httpserver.TLSConfig, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cfg := httpserver.TLSConfig{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	for path, block := range map[string]*pem.Block{cfg.CertFile: {Type: "CERTIFICATE", Bytes: der}, cfg.KeyFile: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return cfg, pool
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func TestHTTPSAndTheWayToIt(t *testing.T) {
	t.Parallel()
	secure, pool := selfSigned(t)
	secure.RedirectListen = freeAddress(t)
	cfg := httpserver.Config{Listen: "127.0.0.1:0", TLS: secure}
	ctx, stop := context.WithCancel(context.Background())
	ln, err := httpserver.Listen(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	health := &httpserver.Health{}
	app := httpserver.New(cfg, telemetry.New(telemetry.Config{LogLevel: "error"}, io.Discard), health, httpserver.RenderJSON)
	app.Get("/secure", func(c *fiber.Ctx) error {
		if !c.Secure() {
			return c.SendString("plain")
		}
		return c.SendString("secure")
	})
	ended := make(chan error, 1)
	go func() { ended <- httpserver.Serve(ctx, app, ln, health, 0, nil) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	response, err := client.Get("http://" + secure.RedirectListen + "/secure?a=b")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "secure" {
		t.Errorf("got %q, %v", body, err)
	}
	if at := response.Request.URL.String(); at != "https://"+ln.Addr().String()+"/secure?a=b" {
		t.Errorf("the redirect led to %s", at)
	}
	if !strings.Contains(response.Header.Get("Strict-Transport-Security"), "max-age") {
		t.Error("browsers are not told to stay with HTTPS")
	}
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11}}}
	if _, err := old.Get("https://" + ln.Addr().String() + "/secure"); err == nil { //nolint:bodyclose // there is none
		t.Error("TLS 1.1 was accepted")
	}
}

func TestTLSSettingsBelongTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []httpserver.TLSConfig{{CertFile: "c"}, {KeyFile: "k"}, {RedirectListen: ":80"}} {
		if c.Validate() == nil {
			t.Errorf("%+v is allowed", c)
		}
	}
	missing := httpserver.Config{Listen: "127.0.0.1:0", TLS: httpserver.TLSConfig{CertFile: "/nowhere", KeyFile: "/nowhere"}}
	if ln, err := httpserver.Listen(t.Context(), missing, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("it listens without its certificate", ln.Addr())
	}
}

// A balancer keeps idle connections for 60 s: ours must be open longer, or it sends
// a request into a connection that just closed. A wait of 30 s must fit into the
// time of a request.
func TestTimeoutsFitABalancer(t *testing.T) {
	t.Parallel()
	const balancerIdle, longestWait = 60 * time.Second, 30 * time.Second
	cfg := httpserver.Defaults()
	if cfg.IdleTimeout <= balancerIdle {
		t.Errorf("idle connections are closed after %s, before the balancer does", cfg.IdleTimeout)
	}
	if cfg.RequestTimeout <= longestWait {
		t.Errorf("requests end after %s, within a wait of %s", cfg.RequestTimeout, longestWait)
	}
}
