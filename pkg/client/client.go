package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	defaultPatience = 2 * time.Minute
	firstPause      = 250 * time.Millisecond
	longestPause    = 30 * time.Second
	// answerTimeout is longer than the longest wait that can be asked for.
	answerTimeout = 2 * time.Minute
	// silenceTimeout ends a stream of which nothing came: event streams send a
	// comment every 15 s.
	silenceTimeout = 45 * time.Second
)

// Config says whom to speak to. URL and Key are needed.
type Config struct {
	URL string // of the front door, such as https://maskfleet.example.com
	Key string // an API key, made on the account page: mf_…

	// HTTP makes the requests; nil: one of the client's own. It should have no
	// Timeout, which would cut long streams; contexts bound requests.
	HTTP *http.Client
	// Patience is for how long a request is tried again; zero: two minutes,
	// negative: not at all.
	Patience time.Duration
	// Retrying, if not nil, is told before a request is tried again: why, and after
	// what time.
	Retrying func(err error, after time.Duration)
	// UserAgent names the program in the server's logs.
	UserAgent string
}

// Client speaks to one front door with one key. Its methods may be called at the
// same time.
type Client struct {
	base      *url.URL
	key       string
	http      *http.Client
	patience  time.Duration
	retrying  func(err error, after time.Duration)
	userAgent string
	silence   time.Duration                                    // see silenceTimeout; tests shorten it
	pause     func(ctx context.Context, d time.Duration) error // tests do not wait
}

// New makes a client; it sends nothing.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(cfg.URL, "/"))
	if err != nil {
		return nil, fmt.Errorf("reading the address of the front door: %w", err)
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, fmt.Errorf("the address of the front door, %q, is not like https://maskfleet.example.com", cfg.URL)
	}
	if cfg.Key == "" {
		return nil, errors.New("an API key is needed; keys are made on the account page")
	}
	c := &Client{
		base: base, key: cfg.Key, patience: cfg.Patience, retrying: cfg.Retrying, userAgent: cfg.UserAgent,
		silence: silenceTimeout, pause: pause,
	}
	if c.patience == 0 {
		c.patience = defaultPatience
	}
	if c.userAgent == "" {
		c.userAgent = "maskfleet-go"
	}
	if c.retrying == nil {
		c.retrying = func(error, time.Duration) {}
	}
	c.http = ownClient(cfg.HTTP)
	return c, nil
}

// ownClient follows no redirect by itself: the links of S3 must not see the key, and
// on one machine the standard library would show it to them.
func ownClient(given *http.Client) *http.Client {
	own := &http.Client{}
	if given != nil {
		*own = *given
	}
	if own.Transport == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 32
		transport.ResponseHeaderTimeout = answerTimeout
		own.Transport = transport
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return own
}

// pause ends early, with the context's cause, when ctx does.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
