package decide

import "slices"

// parade is the shadow fleets, one for each setting, and which is followed.
type parade struct {
	Shadows []shadow `json:"shadows"`
	Best    int      `json:"best"`
}

// begin makes the shadows as large as the real fleet is. Having no reserve begins with
// a credit, so that one surprise alone does not put a reserve up for hours.
func (p *parade) begin(m *moment, t *tuning, ready float64) {
	p.Shadows = make([]shadow, len(t.settings))
	p.Best = max(0, slices.Index(t.settings, t.first))
	jump := m.most / m.service * max(0, m.horizon-m.target) // about so many late photos
	for i, s := range t.settings {
		p.Shadows[i].Ready = ready
		if s.reserve == 0 {
			p.Shadows[i].Score = -t.surprises * jump * m.latePrice
		}
	}
}

// bias is what a setting must save before it takes the place of the first.
func (t *tuning) bias(m *moment, s setting) float64 {
	b := 0.0
	if s.surge != t.first.surge {
		b += t.inertia
	}
	if m.reserve(s.reserve) != m.reserve(t.first.reserve) {
		b += t.inertia
	}
	if s.clock != t.first.clock {
		b += t.clockInertia
	}
	return b * m.pool()
}

// live lets all shadows go through the moment and chooses whom to follow.
func (p *parade) live(m *moment, t *tuning) {
	lowest, best := 0.0, -1
	for i, s := range t.settings {
		x := &p.Shadows[i]
		x.live(m, s, 0, m.need(i))
		if score := x.Score + t.bias(m, s); best < 0 || score < lowest {
			lowest, best = score, i
		}
	}
	if lowest < p.Shadows[p.Best].Score+t.bias(m, t.settings[p.Best])-m.boot {
		p.Best = best
	}
}
