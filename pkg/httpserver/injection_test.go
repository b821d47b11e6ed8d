package httpserver_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/telemetry"
)

// ledger is a log that may be written to and read at once.
type ledger struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *ledger) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *ledger) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSpace(l.text.String()), "\n")
}

// TestNothingOfAClientBreaksLogsOrHeaders: whatever a handler copies from a request
// into a header or a log line, it adds neither a header nor a line.
func TestNothingOfAClientBreaksLogsOrHeaders(t *testing.T) {
	t.Parallel()
	var log ledger
	tel := telemetry.New(telemetry.Config{Service: "door", LogLevel: "info", LogFormat: "json"}, &log)
	health := &httpserver.Health{}
	app := httpserver.New(httpserver.Config{TrustedProxies: []string{"127.0.0.0/8"}}, tel, health, httpserver.RenderJSON)
	app.Get("/echo/:name", func(c *fiber.Ctx) error {
		name := c.Params("name") + c.Query("next") + c.Get("X-Told")
		c.Set("X-Name", name)
		c.Location(name)
		tel.Log.InfoContext(httpserver.Context(c), "told", "name", name)
		return c.SendStatus(http.StatusNoContent)
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- httpserver.Serve(ctx, app, ln, health, 0, nil) }()
	t.Cleanup(func() { stop(); <-ended })

	const planted = "{\"level\":\"ERROR\",\"msg\":\"planted\"}"
	for _, request := range []string{
		"GET /echo/a%0d%0aX-Planted:%201 HTTP/1.1\r\n",
		"GET /echo/a%0aX-Planted:1?next=%0d%0a%0d%0a" + strings.ReplaceAll(planted, `"`, "%22") + " HTTP/1.1\r\n",
		"GET /echo/a HTTP/1.1\r\nX-Told: a\rX-Planted: 1\r\n",
		"GET /echo/a HTTP/1.1\r\nX-Request-Id: abcdefgh\"}%0a" + planted + "\r\n",
		"GET /echo/a HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\"}" + planted + "\r\n",
		"GET /echo/a HTTP/1.1\r\ntraceparent: 00-" + planted + "\r\n",
	} {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, request+"Host: a\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(conn)
		_ = conn.Close()
		response, readErr := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
		if err != nil || readErr != nil {
			t.Fatalf("%q: %v, %v in %q", request, err, readErr, raw)
		}
		_ = response.Body.Close()
		if response.Header.Get("X-Planted") != "" || bytes.Contains(raw, []byte("\nX-Planted")) || bytes.Contains(raw, []byte("\rX-Planted")) {
			t.Errorf("%q planted a header in %q", request, raw)
		}
		if id := response.Header.Get("X-Request-Id"); strings.ContainsAny(id, "{}\"% ") {
			t.Errorf("%q planted the request id %q", request, id)
		}
	}
	for _, line := range log.lines() {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil || fields["msg"] == "planted" || fields["service"] != "door" {
			t.Errorf("a line of the log is %q, %v", line, err)
		}
		if strings.Contains(line, `"client_ip":"192.0.2.1\"`) {
			t.Errorf("an address is %q", line)
		}
	}
	if n := len(log.lines()); n < 6 {
		t.Errorf("%d lines were logged: the test proves nothing", n)
	}
}
