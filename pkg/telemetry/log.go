package telemetry

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

func newLogger(cfg Config, out io.Writer) *slog.Logger {
	level := slog.LevelInfo
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: inMilliseconds}
	var handler slog.Handler = slog.NewJSONHandler(out, options)
	if cfg.LogFormat == "text" {
		handler = slog.NewTextHandler(out, options)
	}
	log := slog.New(contextHandler{handler})
	if cfg.Service != "" {
		log = log.With("service", cfg.Service)
	}
	return log
}

// inMilliseconds writes a duration "x" as "x_ms": a bare number of nanoseconds is
// taken for something else by whoever reads it.
func inMilliseconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindDuration {
		return a
	}
	return slog.Float64(a.Key+"_ms", float64(a.Value.Duration().Microseconds())/1000)
}

// keyRequestID is the key of a context's request id.
type keyRequestID struct{}

// WithRequestID lets the lines logged with ctx carry the id of a request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, keyRequestID{}, id)
}

// contextHandler adds trace_id to the lines logged with a context that has a span,
// and request_id to those of a request.
type contextHandler struct{ slog.Handler }

func (h contextHandler) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	if id, ok := ctx.Value(keyRequestID{}).(string); ok {
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextHandler{h.Handler.WithAttrs(attrs)}
}

func (h contextHandler) WithGroup(name string) slog.Handler {
	return contextHandler{h.Handler.WithGroup(name)}
}
