package simulate

import "math"

const (
	twisterLen   = 624
	twisterShift = 397
)

// twister is MT19937 with the distributions that this simulator needs, each drawn the
// way the reference simulator's language draws it: one seed gives both the same
// photos, so that the two can be compared without noise.
type twister struct {
	state  [twisterLen]uint32
	next   int
	spare  float64 // of gauss, which draws two at a time
	spared bool
}

func newTwister(seed uint32) *twister {
	t := &twister{next: twisterLen}
	s := &t.state
	s[0] = 19650218
	for i := 1; i < twisterLen; i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + uint32(i)
	}
	i := 1
	step := func() {
		if i++; i == twisterLen {
			s[0] = s[twisterLen-1]
			i = 1
		}
	}
	for range twisterLen {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + seed
		step()
	}
	for range twisterLen - 1 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - uint32(i)
		step()
	}
	s[0] = 1 << 31
	return t
}

func (t *twister) word() uint32 {
	if t.next == twisterLen {
		t.refill()
	}
	y := t.state[t.next]
	t.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (t *twister) refill() {
	for i := range twisterLen {
		y := t.state[i]&(1<<31) | t.state[(i+1)%twisterLen]&(1<<31-1)
		t.state[i] = t.state[(i+twisterShift)%twisterLen] ^ y>>1
		if y&1 == 1 {
			t.state[i] ^= 0x9908b0df
		}
	}
	t.next = 0
}

// uniform is at least 0 and below 1.
func (t *twister) uniform() float64 {
	high, low := t.word()>>5, t.word()>>6
	return (float64(high)*(1<<26) + float64(low)) / (1 << 53)
}

func (t *twister) between(low, high float64) float64 { return low + (high-low)*t.uniform() }

// exponential has the mean given.
func (t *twister) exponential(mean float64) float64 {
	return -math.Log(1-t.uniform()) / (1 / mean)
}

// logNormal is e to the power of a normal variate with this mean and deviation.
func (t *twister) logNormal(mu, sigma float64) float64 {
	magic := 4 * math.Exp(-0.5) / math.Sqrt2
	for {
		u1 := t.uniform()
		u2 := 1 - t.uniform()
		z := magic * (u1 - 0.5) / u2
		if z*z/4 <= -math.Log(u2) {
			return math.Exp(mu + z*sigma)
		}
	}
}

// gauss has the mean 0.
func (t *twister) gauss(sigma float64) float64 {
	z := t.spare
	if t.spared {
		t.spared = false
	} else {
		angle := t.uniform() * 2 * math.Pi
		length := math.Sqrt(-2 * math.Log(1-t.uniform()))
		z = math.Cos(angle) * length
		t.spare, t.spared = math.Sin(angle)*length, true
	}
	return z * sigma
}
