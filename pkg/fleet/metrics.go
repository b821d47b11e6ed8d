package fleet

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct{ calls *prometheus.HistogramVec }

func newMetrics(registerer prometheus.Registerer) metrics {
	m := metrics{calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "maskfleet_fleet_call_duration_seconds",
		Help:    "Calls to AWS with their retries, by what was asked and how it ended.",
		Buckets: []float64{.005, .02, .05, .1, .2, .5, 1, 2, 5, 10},
	}, []string{"operation", "outcome"})}
	registerer.MustRegister(m.calls)
	return m
}

func (m metrics) observe(operation string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "error"
	}
	m.calls.WithLabelValues(operation, outcome).Observe(took.Seconds())
}
