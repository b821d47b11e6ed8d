package inferenceworker

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	jobs         *prometheus.CounterVec
	seconds      *prometheus.HistogramVec
	steps        *prometheus.HistogramVec
	brokerErrors prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer) metrics {
	buckets := []float64{.005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30, 60}
	m := metrics{
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "maskfleet_worker_jobs_total",
			Help: "Jobs by how they ended.",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "maskfleet_worker_job_duration_seconds",
			Help: "From the claim to the settlement, by how the job ended.", Buckets: buckets,
		}, []string{"outcome"}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "maskfleet_worker_step_duration_seconds",
			Help: "Time spent in each step of a job.", Buckets: buckets,
		}, []string{"step"}),
		brokerErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "maskfleet_worker_broker_errors_total",
			Help: "Pulls that the broker did not answer.",
		}),
	}
	registerer.MustRegister(m.jobs, m.seconds, m.steps, m.brokerErrors)
	for _, o := range []outcome{
		outcomeFinished, outcomeRefused, outcomeStale, outcomeReleased,
		outcomeRetried, outcomeFailed, outcomeUnknown, outcomeUnsettled,
	} {
		m.jobs.WithLabelValues(string(o))
	}
	return m
}
