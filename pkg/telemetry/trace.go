package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const traceParentKey = "traceparent"

// TraceParent is the W3C traceparent of the span in ctx, "" if there is none.
func TraceParent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier.Get(traceParentKey)
}

// WithTraceParent makes the span that a traceparent names the parent of those
// started from the context it returns. A malformed one is ignored.
func WithTraceParent(ctx context.Context, traceParent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceParentKey: traceParent})
}

// End ends a span and marks it as failed if err is not nil.
func End(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// sampler records spans where somebody will see them. The others have their ids, which
// the log and the next process need, and cost nothing else.
func sampler(log *slog.Logger) sdktrace.Sampler {
	if log.Enabled(context.Background(), slog.LevelDebug) {
		return sdktrace.AlwaysSample()
	}
	return sdktrace.NeverSample()
}

// spanLogger writes every ended span as a log line at debug.
type spanLogger struct{ log *slog.Logger }

func (spanLogger) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

func (l spanLogger) OnEnd(span sdktrace.ReadOnlySpan) {
	ctx := trace.ContextWithSpanContext(context.Background(), span.SpanContext())
	if !l.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("span", span.Name()),
		slog.String("span_id", span.SpanContext().SpanID().String()),
		slog.Duration("duration", span.EndTime().Sub(span.StartTime())),
	}
	if span.Parent().HasSpanID() {
		attrs = append(attrs, slog.String("parent_id", span.Parent().SpanID().String()))
	}
	if span.Status().Code == codes.Error {
		attrs = append(attrs, slog.String("err", span.Status().Description))
	}
	for _, a := range span.Attributes() {
		attrs = append(attrs, slogAttr(a))
	}
	l.log.LogAttrs(ctx, slog.LevelDebug, "span ended", attrs...)
}

func slogAttr(a attribute.KeyValue) slog.Attr {
	return slog.Any(string(a.Key), a.Value.AsInterface())
}

func (spanLogger) Shutdown(context.Context) error { return nil }

func (spanLogger) ForceFlush(context.Context) error { return nil }
