package telemetry_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/telemetry"
)

var errTest = errors.New("no luck")

func line(t *testing.T, out *bytes.Buffer) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(out.Bytes(), &fields); err != nil {
		t.Fatalf("the log line %q: %v", out, err)
	}
	return fields
}

func TestLogLinesCarryTraceAndRequest(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tel := telemetry.New(telemetry.Config{Service: "door", LogLevel: "info", LogFormat: "json"}, &out)
	ctx, span := tel.Tracer.Start(t.Context(), "accept")
	tel.Log.InfoContext(telemetry.WithRequestID(ctx, "r-1"), "photo accepted", "photo_id", "p")
	span.End() // below the level: no second line
	got := line(t, &out)
	if got["trace_id"] != span.SpanContext().TraceID().String() || got["request_id"] != "r-1" || got["service"] != "door" {
		t.Errorf("got %v, want trace %s, request r-1 and service door", got, span.SpanContext().TraceID())
	}
}

func TestDurationsAreLoggedInMilliseconds(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		tel := telemetry.New(telemetry.Config{LogFormat: format}, &out)
		tel.Log.Info("job ended", "duration", 1234567*time.Nanosecond, "attempt", 1)
		if text := strings.NewReplacer(`"`, "", ":", "=").Replace(out.String()); !strings.Contains(text, "duration_ms=1.234") {
			t.Errorf("%s: got %q, want duration_ms 1.234", format, text)
		}
	}
}

func TestEndedSpansAreLoggedAtDebug(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tel := telemetry.New(telemetry.Config{LogLevel: "debug", LogFormat: "json"}, &out)
	_, span := tel.Tracer.Start(t.Context(), "store original")
	telemetry.End(span, errTest)
	got := line(t, &out)
	if got["span"] != "store original" || got["err"] != "no luck" {
		t.Errorf("got %v, want the failed span", got)
	}
}

func TestTraceParentCrossesAProcess(t *testing.T) {
	t.Parallel()
	tel := telemetry.New(telemetry.Config{}, io.Discard)
	ctx, span := tel.Tracer.Start(t.Context(), "door")
	header := telemetry.TraceParent(ctx)
	_, other := tel.Tracer.Start(telemetry.WithTraceParent(t.Context(), header), "worker")
	if other.SpanContext().TraceID() != span.SpanContext().TraceID() {
		t.Errorf("%q led to trace %s, want %s", header, other.SpanContext().TraceID(), span.SpanContext().TraceID())
	}
	if got := telemetry.TraceParent(telemetry.WithTraceParent(t.Context(), "nonsense")); got != "" {
		t.Errorf("a bad header gave %q", got)
	}
}

func TestPrivateListenerServesMetricsUntilStopped(t *testing.T) {
	t.Parallel()
	logs, out := io.Pipe()
	tel := telemetry.New(telemetry.Config{LogLevel: "info", LogFormat: "json", PrivateListen: "127.0.0.1:0"}, out)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- tel.Run(ctx) }()
	var opened struct{ Address string }
	first, err := bufio.NewReader(logs).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(first, &opened); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+opened.Address+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(body), "go_goroutines") {
		t.Errorf("/metrics gave %d bytes without go_goroutines (%v)", len(body), err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("stopping gave %v", err)
	}
}

func TestValidateRefusesUnknownLevels(t *testing.T) {
	t.Parallel()
	if err := (&telemetry.Config{LogLevel: "loud", LogFormat: "json"}).Validate(); err == nil {
		t.Error("LOG_LEVEL=loud was accepted")
	}
	if err := (&telemetry.Config{LogLevel: "debug", LogFormat: "text"}).Validate(); err != nil {
		t.Error(err)
	}
}
