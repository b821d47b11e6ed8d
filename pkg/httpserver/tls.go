package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// certificateRecheck is how often the certificate's files are looked at: who renews
// them need not restart anything.
const certificateRecheck = time.Minute

// TLSConfig lets the server speak HTTPS itself; without files it speaks plain HTTP,
// as behind a balancer that ends TLS.
type TLSConfig struct {
	CertFile string `env:"TLS_CERT_FILE"` // PEM, with the chain
	KeyFile  string `env:"TLS_KEY_FILE"`  // PEM
	// RedirectListen is host:port of a plain listener that sends everybody to the
	// other one; empty: none.
	RedirectListen string `env:"TLS_REDIRECT_LISTEN"`
}

// Validate checks that the settings belong together. The files are read at the start.
func (c *TLSConfig) Validate() error {
	if (c.CertFile == "") != (c.KeyFile == "") {
		return errors.New("TLS_CERT_FILE and TLS_KEY_FILE must be set together")
	}
	if c.RedirectListen != "" && c.CertFile == "" {
		return errors.New("TLS_REDIRECT_LISTEN needs TLS_CERT_FILE: there would be nowhere to go")
	}
	return nil
}

// secured wraps the listener and starts the one that redirects, until ctx ends.
func (c *TLSConfig) secured(ctx context.Context, ln net.Listener, log *slog.Logger) (net.Listener, error) {
	if c.CertFile == "" {
		return ln, nil
	}
	keeper := &certificate{config: *c, log: log}
	if _, err := keeper.get(nil); err != nil {
		return nil, err
	}
	if c.RedirectListen != "" {
		if err := redirect(ctx, c.RedirectListen, ln.Addr(), log); err != nil {
			return nil, err
		}
	}
	return tls.NewListener(ln, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: keeper.get,
		NextProtos:     []string{"http/1.1"}, // Fiber speaks no HTTP/2
	}), nil
}

// certificate is read again once its files have changed.
type certificate struct {
	config TLSConfig
	log    *slog.Logger

	mu     sync.Mutex // guards what follows
	loaded *tls.Certificate
	of     time.Time // when the files were written
	looked time.Time
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loaded != nil && time.Since(c.looked) < certificateRecheck {
		return c.loaded, nil
	}
	c.looked = time.Now()
	if err := c.read(); err != nil {
		if c.loaded == nil {
			return nil, fmt.Errorf("reading the certificate: %w", err)
		}
		c.log.Warn("renewed certificate not read; the old one stays", "err", err)
	}
	return c.loaded, nil
}

func (c *certificate) read() error {
	info, err := os.Stat(c.config.CertFile)
	if err != nil || (c.loaded != nil && info.ModTime().Equal(c.of)) {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.config.CertFile, c.config.KeyFile)
	if err != nil {
		return err
	}
	c.loaded, c.of = &pair, info.ModTime()
	return nil
}

// atPort is the host of a request at another port, an IPv6 address in its brackets.
func atPort(host, port string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	at := net.JoinHostPort(host, port)
	if port == "443" {
		return strings.TrimSuffix(at, ":443")
	}
	return at
}

// redirect sends who comes by plain HTTP to the same address by HTTPS.
func redirect(ctx context.Context, from string, to net.Addr, log *slog.Logger) error {
	var listen net.ListenConfig
	ln, err := listen.Listen(ctx, "tcp", from)
	if err != nil {
		return fmt.Errorf("listening for plain HTTP: %w", err)
	}
	_, port, err := net.SplitHostPort(to.String())
	if err != nil {
		return errors.Join(fmt.Errorf("reading the port of HTTPS: %w", err), ln.Close())
	}
	server := &http.Server{
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: maxHeaderBytes,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			http.Redirect(w, r, "https://"+atPort(r.Host, port)+r.URL.RequestURI(), http.StatusPermanentRedirect)
		}),
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("redirect from plain HTTP ended", "err", err)
		}
	}()
	log.InfoContext(ctx, "redirecting plain HTTP", "address", ln.Addr().String(), "port", port)
	return nil
}
