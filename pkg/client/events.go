package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"
)

// pollEvery is how often a batch is asked for where its events cannot be had.
const pollEvery = 2 * time.Second

// Events follows a batch: how it stands now, at every change (at most about once a
// second), and last when it has ended. A stream that ends before the batch does, for
// a deploy or a broken connection, is opened again. It ends after the first error.
func (c *Client) Events(ctx context.Context, id string) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		err := c.reopening(ctx, func() (heard bool, _ error) {
			err := c.streamEvents(ctx, id, func(b Batch) bool {
				heard = true
				return yield(b, nil)
			})
			return heard, err
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(Batch{}, err)
		}
	}
}

// streamEvents ends without an error when the batch has ended.
func (c *Client) streamEvents(ctx context.Context, id string, take func(Batch) bool) error {
	response, err := c.do(ctx, call{
		method: http.MethodGet, path: batchPath(id) + "/events", stream: true, silent: c.silence,
		header: http.Header{"Accept": {"text/event-stream"}},
	})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	for {
		data, err := readEvent(lines)
		if err != nil {
			return &cutError{err}
		}
		var b Batch
		if err := json.Unmarshal(data, &b); err != nil {
			return fmt.Errorf("reading an event of batch %s: %w", id, err)
		}
		if !take(b) {
			return errEnough
		}
		if b.Status.Ended() {
			return nil
		}
	}
}

// readEvent gives the data of the next event that has any (HTML, 9.2.6). Its kind is
// not needed: the batch itself says whether it has ended.
func readEvent(lines *bufio.Reader) ([]byte, error) {
	var data []byte
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 && len(data) > 0 {
			return data, nil
		}
		if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			data = append(append(data, bytes.TrimPrefix(value, []byte(" "))...), '\n')
		}
	}
}

// WaitBatch waits until the batch has ended, however long it takes. seen, if not nil,
// is told how it stands now and then. Where events cannot be had (too many streams
// are open, or something in between holds them back) it asks every two seconds.
func (c *Client) WaitBatch(ctx context.Context, id string, seen func(Batch)) (Batch, error) {
	if seen == nil {
		seen = func(Batch) {}
	}
	var last Batch
	for b, err := range c.Events(ctx, id) {
		if err != nil {
			if !withoutEvents(ctx, err) {
				return last, err
			}
			break
		}
		last = b
		seen(b)
	}
	for !last.Status.Ended() {
		b, err := c.Batch(ctx, id)
		if err != nil {
			return last, err
		}
		last = b
		seen(b)
		if last.Status.Ended() {
			break
		}
		if err := c.pause(ctx, pollEvery); err != nil {
			return last, err
		}
	}
	return last, nil
}

// withoutEvents says whether it may be the stream alone that cannot be had.
func withoutEvents(ctx context.Context, err error) bool {
	var refused *APIError
	if errors.As(err, &refused) {
		return refused.Status == http.StatusTooManyRequests
	}
	var cut *cutError
	return ctx.Err() == nil && errors.As(err, &cut)
}
