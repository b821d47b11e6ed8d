package httpserver

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	keepAliveEvery = 15 * time.Second
	reconnectAfter = 2 * time.Second // hint to the browser when a stream ends
)

// Stream answers with server-sent events: what events sends, each numbered and
// flushed, and a comment line every 15 s. events runs after the handler returned, so
// it must hold nothing of c. Its context ends when the client is gone, when the
// listener is no longer valid, when the server closes its streams, or never; a stream
// has no deadline. An error of events ends the stream and is logged.
func Stream(c *fiber.Ctx, listener Listener, events func(ctx context.Context, send func(event, data string) error) error) error {
	s, err := serverOf(c)
	if err != nil {
		return err
	}
	if err := s.audience.enter(listener.Account); err != nil {
		return err
	}
	c.Status(http.StatusOK)
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Accel-Buffering", "no")
	c.Context().Response.ImmediateHeaderFlush = true
	conn := c.Context().Conn()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(Context(c)))
	lifetime := s.health.streamLifetime()
	unhook := context.AfterFunc(lifetime, func() { cancel(context.Cause(lifetime)) })
	c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		defer s.audience.leave(listener.Account)
		defer unhook()
		defer cancel(nil)
		w := &eventWriter{out: out, conn: conn, timeout: s.cfg.WriteTimeout, gone: cancel}
		var beside sync.WaitGroup
		beside.Go(func() { w.attend(ctx, listener, s.cfg.StreamRecheck) })
		if err := w.run(ctx, events); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "event stream ended", "err", err)
		}
		cancel(nil)
		beside.Wait() // out is not ours after this
	})
	return nil
}

// eventWriter writes events and comments of one stream.
type eventWriter struct {
	conn    net.Conn
	timeout time.Duration
	gone    context.CancelCauseFunc

	mu  sync.Mutex // guards out and id
	out *bufio.Writer
	id  int
}

// run gives events their turn; a panic must not reach the HTTP server, which would
// not catch it here.
func (w *eventWriter) run(ctx context.Context, events func(context.Context, func(event, data string) error) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if err := w.write(fmt.Sprintf("retry: %d\n\n", reconnectAfter.Milliseconds())); err != nil {
		return err
	}
	return events(ctx, w.send)
}

func (w *eventWriter) send(event, data string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "event: %s\n", event)
	for line := range strings.Lines(data) {
		fmt.Fprintf(&text, "data: %s\n", strings.TrimRight(line, "\r\n"))
	}
	if data == "" {
		text.WriteString("data:\n")
	}
	return w.write(text.String())
}

func (w *eventWriter) write(text string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.conn.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return w.lost(err)
	}
	if strings.HasPrefix(text, "event:") {
		w.id++
		fmt.Fprintf(w.out, "id: %d\n", w.id)
		text += "\n"
	}
	if _, err := w.out.WriteString(text); err != nil {
		return w.lost(err)
	}
	if err := w.out.Flush(); err != nil {
		return w.lost(err)
	}
	return nil
}

// lost ends the stream: the only way in which a client that left is noticed.
func (w *eventWriter) lost(err error) error {
	err = fmt.Errorf("writing an event: %w", err)
	w.gone(err)
	return err
}

// attend keeps the connection alive, and ends the stream once its listener may listen
// no more. It is one goroutine for both because there are thousands of streams.
func (w *eventWriter) attend(ctx context.Context, listener Listener, recheck time.Duration) {
	alive, check := time.NewTicker(keepAliveEvery), time.NewTicker(recheck)
	defer alive.Stop()
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-alive.C:
			if w.write(": still here\n\n") != nil {
				return
			}
		case <-check.C:
			if !listener.mayListen(ctx) {
				w.gone(errNotValid)
				return
			}
		}
	}
}
