package simulate

import "math"

// families are traces of kinds that the policy was not made on. docs/scaling.md has
// what came of them.
func families() []maker {
	return []maker{
		{"recurring", "3 d; bursts of 8 minutes at :02 and :32, six of ten times", recurringLoad},
		{"punctual", "3 d; a burst of 8 minutes at :02 of every hour", punctualLoad},
		{"odd", "24 h; a burst of 5 minutes every 37 minutes", oddLoad},
		{"daily", "4 d; half an hour at 9:00 and at 14:00", dailyLoad},
		{"flash", "24 h; six jumps at random, of 10 to 40 minutes", flashLoad},
		{"spikes", "24 h; clusters of bursts of 1 to 4 minutes out of nothing", spikesLoad},
		{"walk", "24 h; a random walk", walkLoad},
		{"wave", "8 h; from 1 to 6.5 times and back every half hour", waveLoad},
		{"steady", "3 h; nothing changes", steadyLoad},
	}
}

func level(seconds int, of func(second int) float64) []float64 {
	v := make([]float64, seconds)
	for s := range v {
		v[s] = of(s)
	}
	return v
}

func burst(v []float64, from, seconds int, height float64) {
	for s := max(0, from); s < min(len(v), from+seconds); s++ {
		v[s] += height
	}
}

// diurnal has its peak at the end of the first quarter of a day.
func diurnal(second int) float64 {
	return 13 + 5*math.Sin(float64(second)/86400*2*math.Pi)
}

func recurringLoad() Load {
	r := newTwister(21)
	v := level(3*86400, diurnal)
	for t := 0; t < len(v); t += 1800 {
		if r.uniform() < 0.6 {
			burst(v, t+120+int(r.between(0, 20)), 480, r.between(35, 45))
		}
	}
	return perSecond("recurring", v)
}

func punctualLoad() Load {
	r := newTwister(22)
	v := level(3*86400, diurnal)
	for t := 0; t < len(v); t += 3600 {
		burst(v, t+120+int(r.between(0, 20)), 480, r.between(35, 45))
	}
	return perSecond("punctual", v)
}

func oddLoad() Load {
	r := newTwister(23)
	v := level(86400, func(int) float64 { return 8 })
	for t := 0; t < len(v); t += 37 * 60 {
		burst(v, t+int(r.between(0, 5)), 300, 45)
	}
	return perSecond("odd", v)
}

func dailyLoad() Load {
	r := newTwister(24)
	v := level(4*86400, func(int) float64 { return 10 })
	for day := 0; day < len(v); day += 86400 {
		burst(v, day+9*3600+int(r.between(0, 60)), 1800, 50)
		burst(v, day+14*3600+int(r.between(0, 60)), 1800, 40)
	}
	return perSecond("daily", v)
}

func flashLoad() Load {
	r := newTwister(25)
	v := level(86400, func(int) float64 { return 10 })
	for range 6 {
		burst(v, int(r.between(0, 86400)), int(r.between(600, 2400)), r.between(20, 60))
	}
	return perSecond("flash", v)
}

func spikesLoad() Load {
	r := newTwister(26)
	v := level(86400, func(int) float64 { return 1 })
	for t := 0.0; t < 86400; {
		t += r.exponential(7200)
		for range 1 + int(r.between(0, 8)) {
			t += 120 + r.exponential(600)
			length := int(r.between(60, 240))
			burst(v, int(t), length, r.between(15, 60))
			t += float64(length)
		}
	}
	return perSecond("spikes", v)
}

func walkLoad() Load {
	r := newTwister(27)
	x := 0.0
	return perSecond("walk", level(86400, func(second int) float64 {
		if second%60 == 0 {
			x = 0.995*x + r.gauss(0.12)
		}
		return 20 * math.Exp(x)
	}))
}

func waveLoad() Load {
	return perSecond("wave", level(8*3600, func(second int) float64 {
		return 30 - 22*math.Cos(float64(second)/1800*2*math.Pi)
	}))
}

func steadyLoad() Load {
	return perSecond("steady", level(3*3600, func(int) float64 { return 30 }))
}
