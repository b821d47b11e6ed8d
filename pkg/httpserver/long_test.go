package httpserver_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
)

// closing tells that it was closed.
type closing struct {
	io.Reader
	closed chan struct{}
}

func (c *closing) Close() error {
	close(c.closed)
	return nil
}

type endless struct{}

func (endless) Read(into []byte) (int, error) { return len(into), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the store is away") }

func TestDownloadEndsOnlyWhenItIsWhole(t *testing.T) {
	t.Parallel()
	const text = "line\n"
	bodies := map[string]*closing{
		"/whole":   {strings.NewReader(text), make(chan struct{})},
		"/broken":  {io.MultiReader(strings.NewReader(text), broken{}), make(chan struct{})},
		"/endless": {endless{}, make(chan struct{})},
	}
	s := serve(t, 0, func(app *fiber.App) {
		for path, body := range bodies {
			app.Get(path, func(c *fiber.Ctx) error {
				return httpserver.Download(c, func(context.Context) io.ReadCloser { return body })
			})
		}
	})
	get := func(path string) *http.Response {
		response, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		return response
	}
	if got, err := io.ReadAll(get("/whole").Body); string(got) != text || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := io.ReadAll(get("/broken").Body); string(got) != text || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v, want an end that nobody takes for the end", got, err)
	}
	_ = get("/endless").Body.Close()
	for path, body := range bodies {
		select {
		case <-body.closed:
		case <-time.After(time.Minute):
			t.Errorf("%s was not closed", path)
		}
	}
}

func TestLongBodyMayTakeLongerThanAnyOther(t *testing.T) {
	t.Parallel()
	const pieces, pause, timeout = 6, 500 * time.Millisecond, 2 * time.Second // longer than the time-out in all
	body := func(c *fiber.Ctx) (err error) {
		ctx, from, done, err := httpserver.LongBody(c)
		if err != nil {
			return err
		}
		defer done()
		data, err := io.ReadAll(from)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		return c.Send(data)
	}
	s := serveWith(t, httpserver.Config{ReadTimeout: timeout, RequestTimeout: timeout, MinBodyBytesPerSecond: 1}, 0, func(app *fiber.App) { app.Post("/", body) })
	send := func(pause time.Duration) (int, string) {
		from, to := io.Pipe()
		go func() {
			for range pieces {
				time.Sleep(pause)
				if _, err := to.Write([]byte("piece ")); err != nil {
					return
				}
			}
			_ = to.Close()
		}()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, from)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0, err.Error()
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(text)
	}
	if status, got := send(pause); status != 200 || got != strings.Repeat("piece ", pieces) {
		t.Errorf("a slow body was answered %d %q", status, got)
	}
	if status, _ := send(3 * timeout); status == 200 {
		t.Error("a stalled body was waited for")
	}
}
