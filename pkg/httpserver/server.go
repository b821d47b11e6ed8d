package httpserver

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"maskfleet/pkg/problem"
	"maskfleet/pkg/telemetry"
)

// maxHeaderBytes is room for a browser's cookies; each connection holds as much.
const maxHeaderBytes = 8 << 10

// ErrorRenderer answers a request with a problem: as JSON, as a page, as the
// service sees fit. Status and Retry-After are set already.
type ErrorRenderer func(c *fiber.Ctx, p *problem.Problem) error

// server is what the middlewares share.
type server struct {
	cfg      Config
	log      *slog.Logger
	tracer   trace.Tracer
	metrics  *metrics
	health   *Health
	proxies  []netip.Prefix
	render   ErrorRenderer
	policy   string // Content-Security-Policy
	audience *audience
}

// localServer and localRequestID are keys of what a request carries.
type (
	localServer    struct{}
	localRequestID struct{}
)

// New makes the application with /healthz and /readyz. Every other route is the
// service's. It must be served by Serve. One registry takes one application.
func New(cfg Config, tel *telemetry.Telemetry, health *Health, render ErrorRenderer) *fiber.App {
	cfg = cfg.withDefaults()
	proxies, err := parseProxies(cfg.TrustedProxies)
	if err != nil {
		tel.Log.Error("trusting no proxy", "err", err) // Validate refuses this earlier
	}
	if cfg.publiclySecure() && cfg.TLS.CertFile == "" && len(proxies) == 0 {
		tel.Log.Warn("no proxy is trusted before a public address of HTTPS: all clients count as one", "public_url", cfg.PublicURL)
	}
	s := &server{
		cfg: cfg, log: tel.Log, tracer: tel.Tracer, metrics: newMetrics(tel.Registry),
		health: health, proxies: proxies, render: render, policy: contentPolicy(cfg.ImageOrigins),
		audience: &audience{limit: cfg.StreamsPerAccount, open: map[uuid.UUID]int{}},
	}
	app := fiber.New(fiber.Config{
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		CaseSensitive:                true, // one route, one path: what is known by its path
		StrictRouting:                true, // is known by no other
		Immutable:                    true, // strings taken from a request may outlive it
		DisableStartupMessage:        true,
		BodyLimit:                    cfg.BodyLimitBytes, // only what is read ahead: bodies are streamed
		ReadBufferSize:               maxHeaderBytes,
		ReadTimeout:                  cfg.ReadTimeout,
		WriteTimeout:                 cfg.WriteTimeout,
		IdleTimeout:                  cfg.IdleTimeout,
		EnableTrustedProxyCheck:      true,
		TrustedProxies:               cfg.TrustedProxies,
		ErrorHandler:                 s.answerError,
	})
	app.Server().CloseOnShutdown = true
	app.Use(s.observe, s.secure)
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok\n") })
	app.Get("/readyz", func(c *fiber.Ctx) error {
		if err := health.Ready(); err != nil {
			return c.Status(http.StatusServiceUnavailable).SendString("not ready\n")
		}
		return c.SendString("ready\n")
	})
	return app
}

// answerError renders err; it is also Fiber's handler for requests that are refused
// before any route is looked for.
func (s *server) answerError(c *fiber.Ctx, err error) error {
	p := problemOf(err)
	c.Status(p.Status)
	if after := p.RetryAfterHeader(); after != "" {
		c.Set(fiber.HeaderRetryAfter, after)
	}
	return s.render(c, p)
}

// problemOf also understands the errors that Fiber itself makes.
func problemOf(err error) *problem.Problem {
	var known *problem.Problem
	var routed *fiber.Error
	if errors.As(err, &known) || !errors.As(err, &routed) {
		return problem.From(err)
	}
	switch {
	case routed.Code == http.StatusNotFound:
		return problem.New(routed.Code, problem.CodeNotFound, "There is nothing at this address.")
	case routed.Code == http.StatusMethodNotAllowed:
		return problem.New(routed.Code, problem.CodeMethodNotAllowed, "This address does not take this kind of request.")
	case routed.Code >= http.StatusInternalServerError:
		return problem.From(err)
	default:
		return problem.New(routed.Code, problem.CodeInvalidRequest, "The request could not be read.").WithCause(err)
	}
}

// RenderJSON answers with application/problem+json.
func RenderJSON(c *fiber.Ctx, p *problem.Problem) error {
	if err := c.Status(p.Status).JSON(p.Document(c.Path(), RequestID(c))); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, problem.ContentType)
	return nil
}
