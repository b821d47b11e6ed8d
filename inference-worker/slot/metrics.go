package slot

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Causes of a slot's death beside the codes of the failures it leads to.
const (
	diedStarting = "starting"
	diedIdle     = "idle"
)

type metrics struct {
	alive        prometheus.Gauge
	busy         prometheus.Gauge
	starts       prometheus.Counter
	replacements prometheus.Counter
	deaths       *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) metrics {
	with := promauto.With(registerer)
	return metrics{
		alive: with.NewGauge(prometheus.GaugeOpts{
			Name: "maskfleet_worker_slots_alive", Help: "Slots that are ready or at work.",
		}),
		busy: with.NewGauge(prometheus.GaugeOpts{
			Name: "maskfleet_worker_slots_busy", Help: "Slots that look at a photo now.",
		}),
		starts: with.NewCounter(prometheus.CounterOpts{
			Name: "maskfleet_worker_slot_starts_total", Help: "Slots that became ready.",
		}),
		replacements: with.NewCounter(prometheus.CounterOpts{
			Name: "maskfleet_worker_slot_replacements_total", Help: "Slots replaced because a photo left them too large.",
		}),
		deaths: with.NewCounterVec(prometheus.CounterOpts{
			Name: "maskfleet_worker_slot_deaths_total", Help: "Slots that died, by the failure it caused, or starting or idle.",
		}, []string{"cause"}),
	}
}
