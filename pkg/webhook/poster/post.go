package poster

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"maskfleet/pkg/linkfetch"
	"maskfleet/pkg/webhook"
)

const (
	userAgent          = "Maskfleet"
	maxAnswerBytes     = 512      // kept of an answer, to be read by people
	maxUnreadBytes     = 64 << 10 // read of an answer at all
	maxHeaderBytes     = 32 << 10 // of an answer
	idleConnections    = 4        // kept for a receiver
	idleConnectionTime = time.Second * 30
	handshakeTimeout   = 10 * time.Second
)

// Fault is the stable name of why a try did not succeed.
type Fault string

// The faults.
const (
	FaultNone       Fault = ""
	FaultForbidden  Fault = "address_forbidden" // private, or a port that serves no websites
	FaultHost       Fault = "unknown_host"      // its name leads nowhere
	FaultConnection Fault = "connection_failed" // refused, reset, or no answer in HTTP
	FaultTLS        Fault = "tls_failed"        // its certificate is not good
	FaultTimeout    Fault = "timeout"
	FaultRedirect   Fault = "redirected" // redirects are not followed
	FaultStatus     Fault = "status"     // any other that is not 2xx
	FaultUnsent     Fault = "not_sent"   // the message itself is at fault
)

// Message is what one try posts.
type Message struct {
	URL     string
	Secrets []string // one, or two during rotation
	ID      string
	Body    []byte
}

// Attempt is how one try went.
type Attempt struct {
	At     time.Time
	Took   time.Duration
	Status int    // of the answer; 0 without one
	Answer string // its first bytes, made fit to be shown
	Fault  Fault
	Cause  error // of the fault, for the log only
}

// Succeeded says that the receiver has taken the message.
func (a Attempt) Succeeded() bool { return a.Fault == FaultNone }

// Gone says that the receiver wants no more messages, ever.
func (a Attempt) Gone() bool { return a.Status == http.StatusGone }

// Poster posts messages. It is safe for concurrent use.
type Poster struct {
	client  *http.Client
	timeout time.Duration
}

// New makes a poster. The error is that of Config.Validate.
func New(cfg Config) (*Poster, error) { return newWithResolver(cfg, net.DefaultResolver) }

func newWithResolver(cfg Config, resolver *net.Resolver) (*Poster, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	dialer, err := linkfetch.Dialer(cfg.Allow)
	if err != nil {
		return nil, err
	}
	dialer.Resolver = resolver
	return &Poster{timeout: cfg.Timeout, client: &http.Client{
		Transport: &http.Transport{ // it knows no proxy
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    handshakeTimeout,
			MaxIdleConnsPerHost:    idleConnections,
			IdleConnTimeout:        idleConnectionTime,
			MaxResponseHeaderBytes: maxHeaderBytes,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close ends the connections that are kept for the next message.
func (p *Poster) Close() { p.client.CloseIdleConnections() }

// Post tries once. The error says that nothing was tried, because the message itself
// is at fault or ctx ended first; whatever the receiver does is an Attempt.
func (p *Poster) Post(ctx context.Context, m Message) (Attempt, error) {
	at := time.Now()
	request, err := p.request(ctx, m, at)
	if err != nil {
		return Attempt{}, err
	}
	limited, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	response, err := p.client.Do(request.WithContext(limited))
	if err != nil && ctx.Err() != nil {
		return Attempt{}, fmt.Errorf("posting %s: %w", m.ID, context.Cause(ctx))
	}
	a := Attempt{At: at.UTC()}
	if err != nil {
		a.Fault, a.Cause = faultOf(err), err
	} else {
		defer response.Body.Close()
		a.Status, a.Answer = response.StatusCode, answerOf(response.Body)
		a.Fault = faultOfStatus(response.StatusCode)
	}
	a.Took = time.Since(at)
	return a, nil
}

func (p *Poster) request(ctx context.Context, m Message, at time.Time) (*http.Request, error) {
	if err := linkfetch.CheckLink(m.URL); err != nil {
		return nil, fmt.Errorf("posting %s: %w", m.ID, err)
	}
	signature, err := webhook.Sign(m.Secrets, m.ID, at, m.Body)
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", m.ID, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return nil, fmt.Errorf("posting %s: %w", m.ID, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set(webhook.HeaderID, m.ID)
	request.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	request.Header.Set(webhook.HeaderSignature, signature)
	return request, nil
}

// answerOf reads what people may want to see. The status has decided already: an
// answer that breaks off is as good as one that ends. What is left of it is read, so
// that the connection can be used again, but not without end.
func answerOf(body io.Reader) string {
	first, err := io.ReadAll(io.LimitReader(body, maxAnswerBytes))
	if err == nil {
		_, _ = io.CopyN(io.Discard, body, maxUnreadBytes)
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(first), "")))
}

func faultOfStatus(status int) Fault {
	switch status / 100 {
	case 2:
		return FaultNone
	case 3:
		return FaultRedirect
	default:
		return FaultStatus
	}
}

func faultOf(err error) Fault {
	var (
		host        *net.DNSError
		network     net.Error
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case linkfetch.IsForbidden(err):
		return FaultForbidden
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return FaultTimeout
	case errors.As(err, &host):
		return FaultHost
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return FaultTLS
	default:
		return FaultConnection
	}
}
