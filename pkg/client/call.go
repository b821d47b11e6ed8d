package client

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// call is one request, which may be sent several times.
type call struct {
	method string
	path   string // below the front door, or a whole address
	query  url.Values
	header http.Header
	body   *Content      // nil: none
	signed bool          // the address itself is the permission: the key must not be shown
	stream bool          // the answer is read as it comes, not kept in memory whole
	silent time.Duration // a stream of which nothing comes for so long is broken off; zero: never
}

// A CallOption changes how one POST is made.
type CallOption func(*call)

// WithIdempotencyKey names the POST (at most 255 characters). The server answers a
// repetition within a day, from this process or another, as it answered the first,
// and does nothing. Without it each call gets a key of its own.
func WithIdempotencyKey(key string) CallOption {
	return func(c *call) { c.set("Idempotency-Key", key) }
}

func (c *call) set(name, value string) {
	if c.header == nil {
		c.header = make(http.Header)
	}
	c.header.Set(name, value)
}

func newPost(path string, options []CallOption) call {
	c := call{method: http.MethodPost, path: path}
	c.set("Idempotency-Key", NewIdempotencyKey())
	for _, option := range options {
		option(&c)
	}
	return c
}

// NewIdempotencyKey gives a key that nobody else has.
func NewIdempotencyKey() string { return crand.Text() }

// do sends the request until it is answered with a success, refused for good, or
// patience is at its end. The caller closes the answer's body.
func (c *Client) do(ctx context.Context, r call) (*http.Response, error) {
	giveUp := time.Now().Add(c.patience)
	for attempt := 0; ; attempt++ {
		response, err := c.try(ctx, r)
		if err == nil {
			return response, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s %s: %w", r.method, r.path, context.Cause(ctx))
		}
		wait, again := nextPause(err, attempt)
		until := time.Now().Add(wait)
		if deadline, ok := ctx.Deadline(); !again || until.After(giveUp) || (ok && until.After(deadline)) {
			return nil, err
		}
		c.retrying(err, wait)
		if err := c.pause(ctx, wait); err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
	}
}

// nextPause says whether another attempt could fare better, and after what time.
// Every call may be repeated: GET, PUT and DELETE by their nature, POST by its key.
func nextPause(err error, attempt int) (wait time.Duration, again bool) {
	wait = min(firstPause<<min(attempt, 10), longestPause)
	wait = wait/2 + rand.N(wait/2) // so that many clients do not come back as one
	var refused *APIError
	if !errors.As(err, &refused) {
		var unsendable *unsendableError
		return wait, !errors.As(err, &unsendable)
	}
	switch refused.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
	case http.StatusConflict:
		if refused.Code != codeInProgress { // the first of us is still being answered
			return 0, false
		}
	default:
		return 0, false
	}
	if refused.RetryAfter > 0 {
		wait = refused.RetryAfter + rand.N(firstPause)
	}
	return wait, true
}

const codeInProgress = "idempotency_in_progress"

// unsendableError is a request that cannot be made at all, such as one with a file
// that is gone.
type unsendableError struct{ err error }

func (e *unsendableError) Error() string { return e.err.Error() }
func (e *unsendableError) Unwrap() error { return e.err }

// try sends the request once. Answers below 400 are successes.
func (c *Client) try(ctx context.Context, r call) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := c.request(ctx, r)
	if err != nil {
		cancel(nil)
		return nil, &unsendableError{fmt.Errorf("%s %s: %w", r.method, r.path, err)}
	}
	response, err := c.http.Do(request)
	if err != nil {
		cancel(nil)
		return nil, unsent(err)
	}
	response.Body = watch(response.Body, r.silent, cancel)
	if response.StatusCode >= http.StatusBadRequest {
		defer response.Body.Close()
		return nil, refusal(response)
	}
	if !r.stream {
		return response, keep(response)
	}
	return response, nil
}

// keep reads the whole answer, so that one which breaks off is asked for again.
func keep(response *http.Response) error {
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// unsent tells what the file's reader said from what the network said, and leaves
// the query of the address out, which may be a signature.
func unsent(err error) error {
	var unsendable *unsendableError
	if errors.As(err, &unsendable) {
		return unsendable
	}
	var detailed *url.Error
	if errors.As(err, &detailed) {
		at, parseErr := url.Parse(detailed.URL)
		if parseErr != nil {
			return fmt.Errorf("%s: %w", detailed.Op, detailed.Err)
		}
		at.RawQuery = ""
		return fmt.Errorf("%s %s: %w", detailed.Op, at, detailed.Err)
	}
	return err
}

func (c *Client) request(ctx context.Context, r call) (*http.Request, error) {
	address, err := c.address(r)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, r.method, address, nil)
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		if request.Body, err = r.body.open(); err != nil {
			return nil, err
		}
		request.ContentLength = r.body.Length
	}
	maps.Copy(request.Header, r.header)
	request.Header.Set("User-Agent", c.userAgent)
	if !r.signed {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	return request, nil
}

func (c *Client) address(r call) (string, error) {
	if r.signed {
		return r.path, nil
	}
	at, err := c.base.Parse(c.base.Path + r.path)
	if err != nil {
		return "", err
	}
	at.RawQuery = r.query.Encode()
	return at.String(), nil
}

// ask sends the request and reads the JSON it is answered with into answer.
func (c *Client) ask(ctx context.Context, r call, answer any) error {
	response, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("reading the answer to %s %s: %w", r.method, r.path, err)
	}
	return nil
}
