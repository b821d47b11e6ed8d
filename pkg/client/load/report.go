package load

import (
	"math"
	"slices"
	"time"
)

// tally counts one phase.
type tally struct {
	sent      int
	good      int
	late      time.Duration
	statuses  map[int]int
	faults    map[string]int
	latencies []time.Duration // of everything that was answered
}

func (t *tally) add(a answer) {
	if a.good {
		t.good++
	}
	if a.fault != "" {
		if t.faults == nil {
			t.faults = make(map[string]int)
		}
		t.faults[a.fault]++
		return
	}
	if t.statuses == nil {
		t.statuses = make(map[int]int)
	}
	t.statuses[a.status]++
	t.latencies = append(t.latencies, a.latency)
}

// Report says how a run was answered.
type Report struct {
	Total  Part   `json:"total"`
	Phases []Part `json:"phases"`
}

// Part is a phase, or the whole.
type Part struct {
	Phase       string         `json:"phase"` // as in ParsePhases
	Seconds     float64        `json:"seconds"`
	OfferedRate float64        `json:"offered_rate"` // uploads a second that were asked for
	SentRate    float64        `json:"sent_rate"`
	Sent        int            `json:"sent"`
	Good        int            `json:"good"` // answered with a result
	Statuses    map[int]int    `json:"statuses"`
	Faults      map[string]int `json:"connection_errors"`
	Latency     Latency        `json:"latency_ms"`
	LateMS      float64        `json:"late_ms"` // how late the latest upload began: above some 50 ms this machine was too slow
}

// Latency is in milliseconds, from when an upload was due to the end of its answer.
type Latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// FaultCount is how many uploads had no answer.
func (p Part) FaultCount() int {
	n := 0
	for _, count := range p.Faults {
		n += count
	}
	return n
}

func (r *run) report() Report {
	elapsed := time.Since(r.began)
	var all tally
	var report Report
	offered := 0
	var begins, whole time.Duration
	for i, phase := range r.cfg.Phases {
		t := r.tallies[i]
		lasted := min(phase.Length, max(elapsed-begins, 0)) // less if it was stopped
		begins += phase.Length
		if lasted == 0 {
			break
		}
		report.Phases = append(report.Phases, t.part(phase.String(), lasted, phase.Count(), phase.Length))
		offered += phase.Count()
		whole += phase.Length
		all.join(t)
	}
	report.Total = all.part("all", min(whole, elapsed), offered, whole)
	return report
}

func (t *tally) join(other tally) {
	t.sent += other.sent
	t.good += other.good
	t.late = max(t.late, other.late)
	t.latencies = append(t.latencies, other.latencies...)
	t.statuses = sum(t.statuses, other.statuses)
	t.faults = sum(t.faults, other.faults)
}

func sum[K comparable](into, from map[K]int) map[K]int {
	if into == nil {
		into = make(map[K]int)
	}
	for key, n := range from {
		into[key] += n
	}
	return into
}

func (t *tally) part(name string, lasted time.Duration, offered int, planned time.Duration) Part {
	return Part{
		Phase: name, Seconds: lasted.Seconds(),
		OfferedRate: float64(offered) / planned.Seconds(), SentRate: float64(t.sent) / lasted.Seconds(),
		Sent: t.sent, Good: t.good, Statuses: sum(nil, t.statuses), Faults: sum(nil, t.faults),
		Latency: percentiles(t.latencies), LateMS: inMS(t.late),
	}
}

func percentiles(of []time.Duration) Latency {
	if len(of) == 0 {
		return Latency{}
	}
	sorted := slices.Sorted(slices.Values(of))
	at := func(share float64) float64 { // the nearest rank
		return inMS(sorted[max(int(math.Ceil(share*float64(len(sorted))))-1, 0)])
	}
	return Latency{P50: at(0.50), P90: at(0.90), P95: at(0.95), P99: at(0.99), Max: at(1)}
}

func inMS(d time.Duration) float64 { return math.Round(float64(d)/1e4) / 100 }
