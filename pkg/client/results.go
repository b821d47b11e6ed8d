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
	"net/url"
	"time"
)

const (
	longestLine = 1 << 20 // bytes of one result; one with a hundred faces has 30 kB
	// resultsSilence is longer than that of events: the front door may be looking for
	// the next results.
	resultsSilence = 2 * time.Minute
)

// Results goes through the results of a batch in any order, each exactly once: those
// that there are when it is called, so while the batch is running not all. A stream
// that breaks is opened again. It ends after the first error.
func (c *Client) Results(ctx context.Context, id string) iter.Seq2[Detection, error] {
	return func(yield func(Detection, error) bool) {
		for line, err := range c.ResultLines(ctx, id) {
			var d Detection
			if err == nil {
				err = json.Unmarshal(line, &d)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// ResultLines is Results with each result as the JSON that the server sent, which
// may hold more than Detection knows. A line is valid until the next.
func (c *Client) ResultLines(ctx context.Context, id string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		seen := make(map[string]struct{}) // detection ids
		err := c.reopening(ctx, func() (bool, error) {
			before := len(seen)
			err := c.streamResults(ctx, id, seen, func(line json.RawMessage) bool { return yield(line, nil) })
			return len(seen) > before, err
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

func (c *Client) streamResults(ctx context.Context, id string, seen map[string]struct{}, take func(json.RawMessage) bool) error {
	response, err := c.results(ctx, id, "ndjson")
	if err != nil {
		return err
	}
	defer response.Close()
	lines := bufio.NewReaderSize(response, longestLine)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("reading the results of batch %s: a line is longer than %d bytes", id, longestLine)
		case err != nil && !errors.Is(err, io.EOF):
			return &cutError{err} // what was read may be half a line
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := takeNew(line, seen, take); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

func takeNew(line json.RawMessage, seen map[string]struct{}, take func(json.RawMessage) bool) error {
	var named struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(line, &named); err != nil {
		return fmt.Errorf("reading a result: %w", err)
	}
	if _, again := seen[named.ID]; again {
		return nil
	}
	seen[named.ID] = struct{}{}
	if !take(line) {
		return errEnough
	}
	return nil
}

// ResultsCSV opens the results of a batch as CSV, with a line of names. A stream that
// breaks gives an error and is not opened again. The caller closes it.
func (c *Client) ResultsCSV(ctx context.Context, id string) (io.ReadCloser, error) {
	return c.results(ctx, id, "csv")
}

func (c *Client) results(ctx context.Context, id, format string) (io.ReadCloser, error) {
	response, err := c.do(ctx, call{
		method: http.MethodGet, path: batchPath(id) + "/results", query: url.Values{"format": {format}},
		stream: true, silent: resultsSilence,
	})
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}
