package scaler

import (
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/scaler/decide"
)

type metrics struct {
	instances *prometheus.GaugeVec
	target    prometheus.Gauge
	blind     prometheus.Gauge
}

func newMetrics(registerer prometheus.Registerer) metrics {
	m := metrics{
		instances: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "maskfleet_scaler_instances", Help: "Instances by role, as the leader sees them.",
		}, []string{"role"}),
		target: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "maskfleet_scaler_target_instances", Help: "How many instances there should be, by the last decision.",
		}),
		blind: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "maskfleet_scaler_blind", Help: "1 while the readings are not trusted.",
		}),
	}
	registerer.MustRegister(m.instances, m.target, m.blind)
	return m
}

// hide leaves the numbers to whoever leads now; two scalers must not both have them.
func (m metrics) hide() {
	m.instances.Reset()
	m.target.Set(0)
	m.blind.Set(0)
}

func (m metrics) show(d decide.Decision, c census) {
	for _, r := range []role{ready, starting, draining, failed, resting} {
		m.instances.WithLabelValues(string(r)).Set(float64(c.count(r)))
	}
	m.target.Set(float64(d.Target))
	m.blind.Set(0)
	if len(d.Blind) > 0 {
		m.blind.Set(1)
	}
}
