package httpserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// renew writes a certificate with that serial number, as written at that time.
func renew(t *testing.T, cfg TLSConfig, serial int64, at time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeAt(t, cfg.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), at)
	writeAt(t, cfg.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), at)
}

func writeAt(t *testing.T, path string, data []byte, at time.Time) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// TestRenewedCertificateIsReadAgain: by connections made after the next look at the
// files, without a restart, and never a broken one.
func TestRenewedCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	folder, now := t.TempDir(), time.Now()
	cfg := TLSConfig{CertFile: filepath.Join(folder, "cert.pem"), KeyFile: filepath.Join(folder, "key.pem")}
	renew(t, cfg, 1, now)
	keeper := &certificate{config: cfg, log: slog.New(slog.DiscardHandler)}
	shown := func() int64 {
		t.Helper()
		client, server := net.Pipe()
		defer client.Close()
		go func() {
			_ = tls.Server(server, &tls.Config{GetCertificate: keeper.get}).Handshake() //nolint:gosec // the client has a say, too
			_ = server.Close()
		}()
		conn := tls.Client(client, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the certificate is what is looked at
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	lookAgain := func() {
		keeper.mu.Lock()
		defer keeper.mu.Unlock()
		keeper.looked = time.Now().Add(-certificateRecheck)
	}
	for _, c := range []struct {
		when   string
		change func()
		want   int64
	}{
		{"at first", func() {}, 1},
		{"renewed, not looked at yet", func() { renew(t, cfg, 2, now.Add(time.Hour)) }, 1},
		{"renewed", lookAgain, 2},
		{"half renewed", func() { writeAt(t, cfg.CertFile, []byte("-----BEGIN"), now.Add(2*time.Hour)); lookAgain() }, 2},
		{"gone", func() { _ = os.Remove(cfg.CertFile); lookAgain() }, 2},
		{"renewed again", func() { renew(t, cfg, 3, now.Add(3*time.Hour)); lookAgain() }, 3},
	} {
		c.change()
		if got := shown(); got != c.want {
			t.Errorf("%s: certificate %d is shown, want %d", c.when, got, c.want)
		}
	}
}
