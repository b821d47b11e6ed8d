package httpserver_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/problem"
)

// anyone is a listener whose session never ends.
func anyone() httpserver.Listener {
	return httpserver.Listener{Valid: func(context.Context) bool { return true }}
}

// streaming is an application with a stream that never ends by itself.
func streaming(listener func(*fiber.Ctx) httpserver.Listener) func(*fiber.App) {
	return func(app *fiber.App) {
		app.Get("/events", func(c *fiber.Ctx) error {
			return httpserver.Stream(c, listener(c), func(ctx context.Context, send func(event, data string) error) error {
				if err := send("hello", ""); err != nil {
					return err
				}
				tick := time.NewTicker(10 * time.Millisecond) // so that a client that left is noticed
				defer tick.Stop()
				for {
					select {
					case <-ctx.Done():
						return nil
					case <-tick.C:
						_ = send("tick", "")
					}
				}
			})
		})
	}
}

// follow opens a stream and returns once its first event is here.
func (s *site) follow(t *testing.T, account uuid.UUID) (stream io.ReadCloser, status int, retryAfter string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Account", account.String())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode == http.StatusOK {
		lines := bufio.NewReader(response.Body)
		for line := ""; !strings.HasPrefix(line, "event: hello"); {
			if line, err = lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	return response.Body, response.StatusCode, response.Header.Get("Retry-After")
}

func TestStreamsOfAnAccountAreCounted(t *testing.T) {
	t.Parallel()
	s := serveWith(t, httpserver.Config{StreamsPerAccount: 2}, 0, streaming(func(c *fiber.Ctx) httpserver.Listener {
		l := anyone()
		l.Account = uuid.MustParse(c.Get("Account"))
		return l
	}))
	ann, bob := uuid.New(), uuid.New()
	first, _, _ := s.follow(t, ann)
	s.follow(t, ann)
	body, status, retryAfter := s.follow(t, ann)
	text, err := io.ReadAll(body)
	if err != nil || status != http.StatusTooManyRequests || retryAfter == "" || !strings.Contains(string(text), problem.CodeRateLimited) {
		t.Errorf("the third stream: got %d %s (%v), want 429 with Retry-After", status, text, err)
	}
	if _, status, _ := s.follow(t, bob); status != http.StatusOK {
		t.Errorf("another account: got %d, want 200", status)
	}
	_ = first.Close()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, status, _ := s.follow(t, ann); status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a stream that ended is still counted")
		}
	}
}

func TestStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	s := serveWith(t, httpserver.Config{StreamRecheck: time.Millisecond}, 0, streaming(func(*fiber.Ctx) httpserver.Listener {
		return httpserver.Listener{Valid: func(context.Context) bool { return asked.Add(1) < 4 }}
	}))
	stream, _, _ := s.follow(t, uuid.New())
	if _, err := io.ReadAll(stream); err != nil {
		t.Errorf("the stream ended with %v, want its proper end", err)
	}
	if got := asked.Load(); got != 4 {
		t.Errorf("the listener was asked %d times, want 4: thrice it was valid", got)
	}
}
