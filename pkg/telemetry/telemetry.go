package telemetry

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config says what is logged and where operators may look.
type Config struct {
	Service   string // name of the program; its main sets it
	LogLevel  string `env:"LOG_LEVEL" envDefault:"info"`  // debug, info, warn or error
	LogFormat string `env:"LOG_FORMAT" envDefault:"json"` // json or text
	// PrivateListen is the address of /metrics and pprof; empty: none. Port 0 takes
	// a free one and logs it. It must not be reachable from outside.
	PrivateListen string `env:"PRIVATE_LISTEN"`
}

// Validate checks level and format.
func (c *Config) Validate() error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return fmt.Errorf("LOG_LEVEL: %w", err)
	}
	if c.LogFormat != "json" && c.LogFormat != "text" {
		return fmt.Errorf("LOG_FORMAT is %q, want json or text", c.LogFormat)
	}
	return nil
}

// Telemetry is what a service reports through. Its parts are safe for concurrent use.
type Telemetry struct {
	Log      *slog.Logger
	Registry *prometheus.Registry
	Tracer   trace.Tracer

	privateListen string
	tail          *tail
}

// New makes the telemetry of one program; log lines go to out. A level or format
// that Validate would refuse counts as info and json.
func New(cfg Config, out io.Writer) *Telemetry {
	last := &tail{}
	log := newLogger(cfg, io.MultiWriter(last, out))
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sampler(log)),
		sdktrace.WithSpanProcessor(spanLogger{log: log}),
	)
	return &Telemetry{
		Log:           log,
		Registry:      registry,
		Tracer:        provider.Tracer("maskfleet/" + cfg.Service),
		privateListen: cfg.PrivateListen,
		tail:          last,
	}
}
