package httpserver_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/telemetry"
)

// Behind a balancer that nobody trusts every connection looks plain.
func TestPublicAddressSaysThatBrowsersAreSecure(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		cfg          httpserver.Config
		secure, warn bool
	}{
		{httpserver.Config{PublicURL: "https://photos.example"}, true, true},
		{httpserver.Config{PublicURL: "HTTPS://photos.example", TrustedProxies: []string{"10.0.0.0/8"}}, true, false},
		{httpserver.Config{PublicURL: "http://photos.example"}, false, false},
		{httpserver.Config{}, false, false},
	} {
		logged := &bytes.Buffer{}
		tel := telemetry.New(telemetry.Config{LogLevel: "error"}, logged)
		tel.Log = slog.New(slog.NewTextHandler(logged, nil))
		app := httpserver.New(of.cfg, tel, &httpserver.Health{}, httpserver.RenderJSON)
		app.Get("/secure", func(c *fiber.Ctx) error { return c.JSON(httpserver.Secure(c)) })
		if warned := strings.Contains(logged.String(), "all clients count as one"); warned != of.warn {
			t.Errorf("%+v: warned %v, want %v", of.cfg.PublicURL, warned, of.warn)
		}
		response, err := app.Test(httptest.NewRequest("GET", "/secure", nil))
		if err != nil {
			t.Fatal(err)
		}
		body := &bytes.Buffer{}
		_, err = body.ReadFrom(response.Body)
		if err != nil || response.Body.Close() != nil || (body.String() == "true") != of.secure ||
			(response.Header.Get("Strict-Transport-Security") != "") != of.secure {
			t.Errorf("%s gives %s with %v, want secure to be %v", of.cfg.PublicURL, body, response.Header, of.secure)
		}
	}
}
