package httpserver

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Config says how a service listens.
type Config struct {
	Listen string `env:"LISTEN"` // host:port
	TLS    TLSConfig
	// TrustedProxies are the addresses or ranges whose X-Forwarded-* headers are
	// believed: the balancer's. Empty: nobody's.
	TrustedProxies []string `env:"TRUSTED_PROXIES"`
	// ReadTimeout is for a whole request with its body, so it bounds how slow an
	// upload may be; WriteTimeout is for an answer, or for one event of a stream.
	ReadTimeout  time.Duration `env:"HTTP_READ_TIMEOUT" envDefault:"2m"`
	WriteTimeout time.Duration `env:"HTTP_WRITE_TIMEOUT" envDefault:"30s"`
	// MinBodyBytesPerSecond is how fast a long body must come, on average and not
	// counting a first ReadTimeout; what it holds meanwhile nobody else has.
	MinBodyBytesPerSecond int64 `env:"HTTP_MIN_BODY_BYTES_PER_SECOND" envDefault:"16384"`

	IdleTimeout time.Duration `env:"HTTP_IDLE_TIMEOUT" envDefault:"75s"`
	// RequestTimeout is the deadline of Context, counted from the end of the header.
	RequestTimeout time.Duration `env:"HTTP_REQUEST_TIMEOUT" envDefault:"3m"`
	// BodyLimitBytes bounds what Form reads; other readers take their own limit.
	BodyLimitBytes int `env:"HTTP_BODY_LIMIT_BYTES" envDefault:"1048576"`
	// DrainLimitBytes is how much of a refused body is read and thrown away, so that
	// a client that is still sending reads its answer. Beyond it the connection is
	// closed.
	DrainLimitBytes int64 `env:"HTTP_DRAIN_LIMIT_BYTES" envDefault:"33554432"`
	// StreamsPerAccount is how many event streams one account may have open.
	StreamsPerAccount int `env:"HTTP_STREAMS_PER_ACCOUNT" envDefault:"20"`
	// StreamRecheck is how often each is asked whether its listener may still listen,
	// so how long one may outlive a log-out.
	StreamRecheck time.Duration `env:"HTTP_STREAM_RECHECK" envDefault:"1m"`
	// PublicURL is the address by which browsers come, "" if that is not known. The
	// service sets it.
	PublicURL string
	// ImageOrigins are other origins from which pages show images, such as the
	// store's public address. The service sets them.
	ImageOrigins []string
}

// Validate checks the ranges and that every time-out is set.
func (c *Config) Validate() error {
	if _, err := parseProxies(c.TrustedProxies); err != nil {
		return err
	}
	if err := c.TLS.Validate(); err != nil {
		return err
	}
	if c.Listen == "" {
		return errors.New("LISTEN is not set")
	}
	for _, d := range []time.Duration{c.ReadTimeout, c.WriteTimeout, c.IdleTimeout, c.RequestTimeout} {
		if d <= 0 {
			return errors.New("every HTTP_*_TIMEOUT must be above zero")
		}
	}
	if c.StreamsPerAccount < 1 || c.StreamRecheck <= 0 {
		return errors.New("HTTP_STREAMS_PER_ACCOUNT and HTTP_STREAM_RECHECK must be above zero")
	}
	if c.MinBodyBytesPerSecond < 1 {
		return errors.New("HTTP_MIN_BODY_BYTES_PER_SECOND must be above zero")
	}
	if c.BodyLimitBytes <= 0 || c.DrainLimitBytes < 0 {
		return errors.New("HTTP_BODY_LIMIT_BYTES must be above zero and HTTP_DRAIN_LIMIT_BYTES not below it")
	}
	return nil
}

// publiclySecure says that browsers come by HTTPS, whoever ends it.
func (c *Config) publiclySecure() bool {
	return strings.HasPrefix(strings.ToLower(c.PublicURL), "https://")
}

// Defaults are the settings of a Config that says nothing.
func Defaults() Config { return Config{}.withDefaults() }

// withDefaults fills what a Config made in code left out.
func (c Config) withDefaults() Config {
	fill := func(d *time.Duration, fallback time.Duration) {
		if *d <= 0 {
			*d = fallback
		}
	}
	fill(&c.ReadTimeout, 2*time.Minute)
	fill(&c.WriteTimeout, 30*time.Second)
	fill(&c.IdleTimeout, 75*time.Second)
	fill(&c.RequestTimeout, 3*time.Minute)
	fill(&c.StreamRecheck, time.Minute)
	if c.StreamsPerAccount <= 0 {
		c.StreamsPerAccount = 20
	}
	if c.MinBodyBytesPerSecond <= 0 {
		c.MinBodyBytesPerSecond = 16 << 10
	}
	if c.BodyLimitBytes <= 0 {
		c.BodyLimitBytes = 1 << 20
	}
	if c.DrainLimitBytes <= 0 {
		c.DrainLimitBytes = 32 << 20
	}
	return c
}

func parseProxies(ranges []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(ranges))
	for _, text := range ranges {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			address, addressErr := netip.ParseAddr(text)
			if addressErr != nil {
				return nil, fmt.Errorf("TRUSTED_PROXIES: %w", err)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}
