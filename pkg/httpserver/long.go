package httpserver

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
)

// LongBody gives what a request with a long body needs: the body as Body does, which
// may come for as long as each piece of it comes within ReadTimeout and all of it at
// MinBodyBytesPerSecond, and a context
// like Context's but without a deadline. done must be called when the handler is
// through with both.
func LongBody(c *fiber.Ctx) (ctx context.Context, body io.Reader, done func(), err error) {
	s, err := serverOf(c)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := refuseEncoded(c); err != nil {
		return nil, nil, nil, err
	}
	ctx, done = s.withoutDeadline(c)
	body = &patientReader{
		from: Body(c), conn: c.Context().Conn(), timeout: s.cfg.ReadTimeout, bytesPerSecond: s.cfg.MinBodyBytesPerSecond,
	}
	return ctx, body, done, nil
}

// withoutDeadline gives the request's context for work that may take long or outlives
// the handler.
func (s *server) withoutDeadline(c *fiber.Ctx) (context.Context, func()) {
	stopping := s.health.requestLifetime()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(Context(c)))
	unhook := context.AfterFunc(stopping, func() { cancel(context.Cause(stopping)) })
	return ctx, func() {
		unhook()
		cancel(nil)
	}
}

// patientReader moves the connection's deadline along as long as enough comes. The
// time that its own reader takes is not the client's.
type patientReader struct {
	from           io.Reader
	conn           net.Conn
	timeout        time.Duration
	bytesPerSecond int64
	received       int64
	waited         time.Duration
}

func (r *patientReader) Read(into []byte) (int, error) {
	begun := time.Now()
	if err := r.conn.SetReadDeadline(begun.Add(r.patience())); err != nil {
		return 0, err
	}
	n, err := r.from.Read(into)
	r.received += int64(n)
	r.waited += time.Since(begun)
	return n, err
}

// patience is how long the next piece may take.
func (r *patientReader) patience() time.Duration {
	earned := time.Duration(float64(r.received) / float64(r.bytesPerSecond) * float64(time.Second))
	return min(r.timeout, r.timeout+earned-r.waited)
}

// Download answers with what open gives, of any length and as fast as the client
// reads. It is read and closed after the handler returned, so it must hold nothing of
// c, but may use its context until it is closed. An error of its Read breaks the
// answer off in a way that no client can take for its end.
func Download(c *fiber.Ctx, open func(ctx context.Context) io.ReadCloser) error {
	s, err := serverOf(c)
	if err != nil {
		return err
	}
	ctx, done := s.withoutDeadline(c)
	c.Context().Response.SetBodyStream(&download{
		from: open(ctx), done: done, conn: c.Context().Conn(), timeout: s.cfg.WriteTimeout,
		failed: func(err error) { s.log.WarnContext(ctx, "answer broken off", "err", err) },
	}, -1)
	return nil
}

// download is a body on its way out.
type download struct {
	from    io.ReadCloser
	done    func()
	conn    net.Conn
	timeout time.Duration // of writing what one Read gave
	failed  func(error)
}

func (d *download) Read(into []byte) (int, error) {
	n, err := d.from.Read(into)
	if err != nil && err != io.EOF { //nolint:errorlint // the very value ends a body
		d.failed(err)
		return n, err
	}
	if deadlineErr := d.conn.SetWriteDeadline(time.Now().Add(d.timeout)); deadlineErr != nil {
		return n, deadlineErr
	}
	return n, err
}

// Close is called whether the client took all of it or left.
func (d *download) Close() error {
	defer d.done()
	return d.from.Close()
}
