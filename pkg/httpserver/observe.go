package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"maskfleet/pkg/problem"
	"maskfleet/pkg/telemetry"
)

const routeUnmatched = "unmatched"

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "maskfleet_http_requests_total", Help: "Requests answered, by method, route template and status.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "maskfleet_http_request_duration_seconds", Help: "Time to answer a request, by method and route template.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"method", "route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "maskfleet_http_requests_in_flight", Help: "Requests being answered.",
		}),
	}
	registry.MustRegister(m.requests, m.duration, m.inFlight)
	return m
}

// observe is the outermost middleware: identity, deadline, trace, answer to errors
// and panics, drained body, log line and metrics of every request.
func (s *server) observe(c *fiber.Ctx) error {
	start := time.Now()
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	requestID := s.requestID(c)
	c.Locals(localServer{}, s)
	c.Locals(localRequestID{}, requestID)
	c.Set(fiber.HeaderXRequestID, requestID)

	ctx, cancel := context.WithTimeout(s.health.requestLifetime(), s.cfg.RequestTimeout)
	defer cancel()
	ctx = telemetry.WithRequestID(telemetry.WithTraceParent(ctx, c.Get("traceparent")), requestID)
	ctx, span := s.tracer.Start(ctx, "http "+c.Method(), trace.WithSpanKind(trace.SpanKindServer))
	c.SetUserContext(ctx)

	err := next(c)
	if err != nil {
		if renderErr := s.answerError(c, err); renderErr != nil {
			err = errors.Join(err, fmt.Errorf("rendering the error: %w", renderErr))
			c.Status(http.StatusInternalServerError)
		}
	}
	DrainSmall(c)
	route := routeOf(c, err)
	span.SetName("http " + c.Method() + " " + route)
	span.SetAttributes(attribute.Int("status", c.Response().StatusCode()), attribute.String("request_id", requestID))
	telemetry.End(span, serverFault(c, err))
	s.record(ctx, c, route, time.Since(start), err)
	return nil
}

// next runs the rest of the chain; a panic becomes an error with its stack.
func next(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return c.Next()
}

// requestID is the one a trusted balancer gave, or a new one.
func (s *server) requestID(c *fiber.Ctx) string {
	given := c.Get(fiber.HeaderXRequestID)
	if c.IsProxyTrusted() && requestIDPattern.MatchString(given) {
		return given
	}
	return uuid.Must(uuid.NewV7()).String()
}

// routeOf is the template of the route that answered.
func routeOf(c *fiber.Ctx, err error) string {
	var routed *fiber.Error
	if errors.As(err, &routed) {
		return routeUnmatched
	}
	return c.Route().Path
}

// serverFault keeps the errors that are ours, not the client's.
func serverFault(c *fiber.Ctx, err error) error {
	if c.Response().StatusCode() < http.StatusInternalServerError {
		return nil
	}
	return err
}

func (s *server) record(ctx context.Context, c *fiber.Ctx, route string, took time.Duration, err error) {
	status := c.Response().StatusCode()
	s.metrics.requests.WithLabelValues(c.Method(), route, strconv.Itoa(status)).Inc()
	s.metrics.duration.WithLabelValues(c.Method(), route).Observe(took.Seconds())
	level := slog.LevelInfo
	switch {
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	case status > http.StatusInternalServerError:
		level = slog.LevelWarn
	}
	if route == "/healthz" || route == "/readyz" {
		level = slog.LevelDebug
	} else {
		s.health.served.Add(1)
	}
	attrs := []slog.Attr{
		slog.String("method", c.Method()), slog.String("route", route), slog.Int("status", status),
		slog.Duration("duration", took), slog.String("client_ip", ClientIP(c)),
	}
	if err != nil {
		attrs = append(attrs, slog.String("code", problemOf(err).Code), slog.Any("err", err))
	}
	s.log.LogAttrs(ctx, level, "request", attrs...)
}

// RequestID names the request in the log, in X-Request-Id and in problems.
func RequestID(c *fiber.Ctx) string {
	id, _ := c.Locals(localRequestID{}).(string)
	return id
}

// Context is the request's: with its deadline and trace, cancelled with
// lifecycle.ErrStopping when the server can wait no longer. It ends when the handler
// returns, and does not notice a client that left.
func Context(c *fiber.Ctx) context.Context { return c.UserContext() }

var errNoServer = problem.New(http.StatusInternalServerError, problem.CodeInternal, "Something went wrong on our side.")

func serverOf(c *fiber.Ctx) (*server, error) {
	s, ok := c.Locals(localServer{}).(*server)
	if !ok {
		return nil, errNoServer.WithCause(errors.New("the application was not made by httpserver.New"))
	}
	return s, nil
}
