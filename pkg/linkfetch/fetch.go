package linkfetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"maskfleet/pkg/job"
)

// Config is what may be fetched and how much of it.
type Config struct {
	// Allow names addresses ("127.0.0.1:9000") that may be fetched although they
	// are private or on a port other than 80, 443, 8080 and 8443. It never opens the
	// metadata addresses.
	Allow        []string      `env:"FETCH_ALLOW"`
	MaxBytes     int64         `env:"FETCH_MAX_BYTES" envDefault:"10485760"`
	Timeout      time.Duration `env:"FETCH_TIMEOUT" envDefault:"15s"` // of the whole fetch
	MaxRedirects int           `env:"FETCH_MAX_REDIRECTS" envDefault:"5"`
}

// Validate says what is wrong with the settings.
func (c Config) Validate() error {
	_, err := newGuard(c.Allow)
	if err != nil {
		err = fmt.Errorf("FETCH_ALLOW: %w", err)
	}
	if c.MaxBytes <= 0 || c.Timeout <= 0 || c.MaxRedirects < 0 {
		err = errors.Join(err, fmt.Errorf("FETCH_MAX_BYTES, FETCH_TIMEOUT and FETCH_MAX_REDIRECTS must be above 0"))
	}
	return err
}

const userAgent = "Maskfleet"

// Fetcher fetches photos from links. It is safe for concurrent use.
type Fetcher struct {
	cfg    Config
	client *http.Client
}

// New makes a fetcher. The error is that of Config.Validate.
func New(cfg Config) (*Fetcher, error) { return newWithResolver(cfg, net.DefaultResolver) }

func newWithResolver(cfg Config, resolver *net.Resolver) (*Fetcher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	dialer, err := Dialer(cfg.Allow)
	if err != nil {
		return nil, err
	}
	dialer.Resolver = resolver
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		DisableKeepAlives:      true, // a connection serves one check
		DisableCompression:     true, // photos are compressed; a bomb would not count
		ResponseHeaderTimeout:  cfg.Timeout,
		TLSHandshakeTimeout:    connectTimeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &Fetcher{cfg: cfg, client: &http.Client{
		Transport: transport,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > cfg.MaxRedirects {
				return fmt.Errorf("%w: more than %d redirects", ErrLink, cfg.MaxRedirects)
			}
			req.Header.Del("Referer") // one link is not the next server's business
			return checkURL(req.URL)
		},
	}}, nil
}

// Fetch gives the bytes behind a link, at most Config.MaxBytes of them, or why they
// are not to be had: fetch_forbidden, fetch_timeout, fetch_status, image_too_large.
// When ctx ends first the failure's cause is ctx's.
func (f *Fetcher) Fetch(ctx context.Context, link string) ([]byte, *job.Failure) {
	if err := CheckLink(link); err != nil {
		return nil, job.Fail(job.CodeFetchForbidden, err)
	}
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, job.Fail(job.CodeFetchForbidden, err)
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "image/*")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, failure(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		failure := job.Fail(job.CodeFetchStatus, fmt.Errorf("status %d", resp.StatusCode))
		failure.Permanent = permanent(resp.StatusCode)
		return nil, failure
	}
	if resp.ContentLength > f.cfg.MaxBytes {
		return nil, job.Fail(job.CodeImageTooLarge, fmt.Errorf("%d bytes announced", resp.ContentLength))
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, f.cfg.MaxBytes+1))
	switch {
	case err != nil:
		return nil, failure(err)
	case int64(len(data)) > f.cfg.MaxBytes:
		return nil, job.Fail(job.CodeImageTooLarge, fmt.Errorf("more than %d bytes", f.cfg.MaxBytes))
	}
	return data, nil
}

// permanent says whether asking again is pointless: the request is at fault, and not
// its moment.
func permanent(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status/100 == 4
}

func failure(err error) *job.Failure {
	var netErr net.Error
	switch {
	case IsForbidden(err), errors.Is(err, ErrLink):
		return job.Fail(job.CodeFetchForbidden, err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return job.Fail(job.CodeFetchTimeout, err)
	default:
		return job.Fail(job.CodeFetchStatus, err)
	}
}
