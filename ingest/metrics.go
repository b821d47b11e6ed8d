package ingest

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"maskfleet/pkg/telemetry"
)

// metrics are the front door's own; the HTTP server has some beside them.
type metrics struct {
	accepted        *prometheus.CounterVec
	refused         *prometheus.CounterVec
	stepDuration    *prometheus.HistogramVec
	bytesInFlight   prometheus.Gauge
	bytesOfBatches  prometheus.Gauge
	bytesUnverified prometheus.Gauge
	waiters         prometheus.Gauge
	queueDepth      prometheus.Gauge
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "maskfleet_ingest_photos_accepted_total", Help: "Photos accepted, by source.",
		}, []string{"source"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "maskfleet_ingest_requests_refused_total", Help: "Requests refused, by code.",
		}, []string{"code"}),
		stepDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "maskfleet_ingest_accept_step_duration_seconds", Help: "Time of one step of an acceptance.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20},
		}, []string{"step"}),
		bytesInFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "maskfleet_ingest_upload_in_flight_bytes", Help: "Bytes of uploads held in memory.",
		}),
		bytesOfBatches: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "maskfleet_ingest_batch_in_flight_bytes", Help: "Bytes of the bodies of batches held in memory, of those of all uploads.",
		}),
		bytesUnverified: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "maskfleet_ingest_upload_unverified_bytes", Help: "Bytes of uploads held while their sender's password is checked.",
		}),
		waiters: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "maskfleet_ingest_waiting_requests", Help: "Requests and event streams that wait for a photo.",
		}),
		queueDepth: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "maskfleet_ingest_queue_depth_photos", Help: "Photos that wait or are in work, as admission sees them.",
		}),
	}
	registry.MustRegister(m.accepted, m.refused, m.stepDuration, m.bytesInFlight, m.bytesOfBatches, m.bytesUnverified, m.waiters, m.queueDepth)
	return m
}

// timed runs one named step with its span and its duration.
func timed(ctx context.Context, tracer trace.Tracer, m *metrics, step string, do func(context.Context) error) error {
	start := time.Now()
	ctx, span := tracer.Start(ctx, step)
	err := do(ctx)
	telemetry.End(span, err)
	m.stepDuration.WithLabelValues(step).Observe(time.Since(start).Seconds())
	return err
}
