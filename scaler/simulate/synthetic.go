package simulate

import (
	"fmt"
	"math"
	"strings"
)

// maker makes a trace that needs no file.
type maker struct {
	name string
	says string
	make func() Load
}

// makers lists the built-in traces, as the command prints them.
func makers() []maker {
	return append([]maker{
		{"step", "2 h; six times the load at once, for 20 and for 10 minutes", stepLoad},
		{"poisson", "24 h; bursts at random: every 40 minutes, 4 minutes long, up to 20 times the base", poissonLoad},
		{"onoff", "12 h; on for 2 to 10 minutes, off for 5 to 40", onOffLoad},
		{"ramp", "24 h; slow waves with noise", rampLoad},
		{"micro", "6 h; clumps of 5 to 40 seconds, in every other hour", microLoad},
	}, families()...)
}

func perSecond(name string, requests []float64) Load {
	return Load{Name: name, BinSeconds: 1, Requests: requests}
}

func stepLoad() Load {
	v := make([]float64, 7200)
	for s := range v {
		v[s] = 10
		if (s >= 1800 && s < 3000) || (s >= 5400 && s < 6000) {
			v[s] = 60
		}
	}
	return perSecond("step", v)
}

func poissonLoad() Load {
	r := newTwister(11)
	v := make([]float64, 86400)
	for s := range v {
		v[s] = 0.3
	}
	for t := r.exponential(2400); t < 86400; {
		n := 20 + r.exponential(240)
		height := r.between(1, 6)
		for i := int(t); i < min(86400, int(t+n)); i++ {
			v[i] += height
		}
		t += n + r.exponential(2400)
	}
	for s := range v {
		v[s] *= 10
	}
	return perSecond("poisson", v)
}

func onOffLoad() Load {
	r := newTwister(12)
	var v []float64
	for len(v) < 43200 {
		for range int(r.between(300, 2400)) {
			v = append(v, 1)
		}
		for range int(r.between(120, 600)) {
			v = append(v, 40)
		}
	}
	return perSecond("onoff", v[:43200])
}

func rampLoad() Load {
	r := newTwister(13)
	v := make([]float64, 86400)
	noise := 1.0
	for s := range v {
		if s%600 == 0 {
			noise = math.Exp(r.gauss(0.25))
		}
		at := float64(s) * 2 * math.Pi
		v[s] = max(0.5, 10*noise*(2.2+1.5*math.Sin(at/10800)+math.Sin(at/86400)))
	}
	return perSecond("ramp", v)
}

func microLoad() Load {
	r := newTwister(14)
	v := make([]float64, 21600)
	for s := range v {
		v[s] = 0.5
	}
	for t := 0.0; t < 21600; {
		t += r.exponential(120)
		n := r.between(5, 40)
		if int(math.Floor(t/3600))%2 == 1 {
			height := r.between(2, 10)
			for i := int(t); i < min(21600, int(t+n)); i++ {
				v[i] += height
			}
		}
		t += n
	}
	for s := range v {
		v[s] *= 10
	}
	return perSecond("micro", v)
}

// Describe says what each built-in trace is, a line each.
func Describe() string {
	var lines strings.Builder
	for _, m := range makers() {
		fmt.Fprintf(&lines, "  %-10s %s\n", m.name, m.says)
	}
	return lines.String()
}

// BuiltIn lists the traces that need no file.
func BuiltIn() []string {
	var names []string
	for _, m := range makers() {
		names = append(names, m.name)
	}
	return names
}
