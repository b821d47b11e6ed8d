package client

import (
	"context"
	"errors"
	"io"
	"time"
)

var errSilent = errors.New("the connection fell silent")

// watch ends the request's context when its answer is closed, or when nothing of it
// came for the given time (zero: however long): a connection whose other end is gone
// looks like one on which nothing happens.
func watch(body io.ReadCloser, silent time.Duration, cancel context.CancelCauseFunc) io.ReadCloser {
	w := &watched{body: body, silent: silent, cancel: cancel}
	if silent > 0 {
		w.timer = time.AfterFunc(silent, func() { cancel(errSilent) })
	}
	return w
}

type watched struct {
	body   io.ReadCloser
	silent time.Duration
	timer  *time.Timer // nil: not watched
	cancel context.CancelCauseFunc
}

func (w *watched) Read(into []byte) (int, error) {
	n, err := w.body.Read(into)
	if w.timer != nil && n > 0 {
		w.timer.Reset(w.silent)
	}
	return n, err
}

func (w *watched) Close() error {
	if w.timer != nil {
		w.timer.Stop()
	}
	err := w.body.Close()
	w.cancel(nil)
	return err
}
