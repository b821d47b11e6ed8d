package httpserver

import (
	"mime/multipart"
	"net/netip"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"maskfleet/pkg/problem"
)

func FuzzMultipartFields(f *testing.F) {
	f.Add("--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nann\r\n--b--")
	f.Add("--b\r\nContent-Disposition: form-data; name=a; filename=x\r\n\r\n\r\n--b--")
	f.Fuzz(func(t *testing.T, body string) {
		values, err := multipartFields(multipart.NewReader(strings.NewReader(body), "b"))
		if err == nil {
			return
		}
		if p := problem.From(err); p.Status >= 500 || values != nil {
			t.Errorf("%q: %v, %v", body, values, err)
		}
	})
}

// FuzzClientIP: whatever a client says of itself, what is logged and counted by is an
// address, and behind no proxy it is that of the connection.
func FuzzClientIP(f *testing.F) {
	f.Add("192.0.2.1, 10.0.0.7")
	f.Add("10.0.0.7,::ffff:10.0.0.9, nonsense")
	f.Add("192.0.2.1%eth0\r\nX: y")
	app := fiber.New()
	f.Fuzz(func(t *testing.T, forwarded string) {
		for _, proxies := range []string{"0.0.0.0/32", "10.0.0.0/8"} {
			s := &server{proxies: []netip.Prefix{netip.MustParsePrefix(proxies)}}
			c := app.AcquireCtx(&fasthttp.RequestCtx{})
			c.Request().Header.Set(fiber.HeaderXForwardedFor, forwarded)
			c.Locals(localServer{}, s)
			got := ClientIP(c)
			if _, err := netip.ParseAddr(got); err != nil {
				t.Errorf("%q: got %q", forwarded, got)
			}
			if !s.trusts(c.IP()) && got != c.IP() {
				t.Errorf("%q: got %q of a stranger at %s", forwarded, got, c.IP())
			}
			app.ReleaseCtx(c)
		}
	})
}
