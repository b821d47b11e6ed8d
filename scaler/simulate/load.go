package simulate

import (
	"math"
	"slices"
)

// Load is how many requests came in each bin of a trace, bins of one length.
type Load struct {
	Name       string
	BinSeconds int
	Requests   []float64
}

// Seconds is how long the trace is.
func (l Load) Seconds() int { return len(l.Requests) * l.BinSeconds }

// Shift turns the trace in a circle: what happened at second by happens first.
func (l Load) Shift(by int) Load {
	n := len(l.Requests)
	if n == 0 {
		return l
	}
	cut := ((by/l.BinSeconds)%n + n) % n
	l.Requests = append(slices.Clone(l.Requests[cut:]), l.Requests[:cut]...)
	return l
}

// Sizing says how requests become photos.
type Sizing struct {
	Seed           uint32
	ServiceSeconds float64 // a photo's mean time in a slot
	Variation      float64 // of that time: standard deviation over mean
	PeakSlots      float64 // slots that the busiest minutes keep busy (the 99.9th percentile); 0: what the trace has
	Times          float64 // photos for each request, where PeakSlots is 0
}

// Photos are what the model serves: when each came, seconds from the start, and how
// long it keeps a slot busy.
type Photos struct {
	Name    string
	Seconds int
	Arrive  []float64
	Service []float64
	Mean    float64 // service time that everybody believes in at the start
	Scaled  float64 // photos for each request of the trace
}

// servicePool is how many service times are drawn.
const servicePool = 100003

// Photos scales the trace to the size wanted and spreads the requests of each bin
// evenly over it, so bursts shorter than a bin do not exist.
func (l Load) Photos(size Sizing) Photos {
	random := newTwister(size.Seed)
	p := Photos{Name: l.Name, Seconds: l.Seconds(), Mean: size.ServiceSeconds, Scaled: l.photosPerRequest(size)}
	for i, requests := range l.Requests {
		m := requests * p.Scaled
		n := int(m)
		if random.uniform() < m-float64(n) {
			n++
		}
		p.arrive(random, i, l.BinSeconds, n)
	}
	sigma := math.Sqrt(math.Log(1 + size.Variation*size.Variation))
	mu := math.Log(size.ServiceSeconds) - sigma*sigma/2
	pool := make([]float64, servicePool)
	for i := range pool {
		pool[i] = random.logNormal(mu, sigma)
	}
	p.serve(pool)
	return p
}

// photosPerRequest is what makes the trace as large as is wanted.
func (l Load) photosPerRequest(size Sizing) float64 {
	if size.PeakSlots == 0 {
		return size.Times
	}
	return size.PeakSlots / size.ServiceSeconds / l.peakRate()
}

// arrive lets photos come at random within a bin.
func (p *Photos) arrive(random *twister, bin, binSeconds, count int) {
	first := len(p.Arrive)
	for range count {
		p.Arrive = append(p.Arrive, float64(bin*binSeconds)+random.uniform()*float64(binSeconds))
	}
	slices.Sort(p.Arrive[first:])
}

// serve gives the photos the pool's service times, in turns.
func (p *Photos) serve(pool []float64) {
	p.Service = make([]float64, len(p.Arrive))
	for i := range p.Service {
		p.Service[i] = pool[i%len(pool)]
	}
}

// peakRate is the 99.9th percentile of the trace's minutes, requests a second.
func (l Load) peakRate() float64 {
	each := max(1, 60/l.BinSeconds)
	var minutes []float64
	for i := 0; i < len(l.Requests); i += each {
		sum := 0.0
		for _, requests := range l.Requests[i:min(i+each, len(l.Requests))] {
			sum += requests
		}
		minutes = append(minutes, sum)
	}
	slices.Sort(minutes)
	at := min(len(minutes)-1, int(float64(len(minutes))*0.999))
	return minutes[at] / 60
}

// Work is how long one slot would need for everything, in seconds.
func (p Photos) Work() float64 {
	sum := 0.0
	for _, s := range p.Service {
		sum += s
	}
	return sum
}

// StartingInstances is a pool with a third more than the first five minutes need.
func (p Photos) StartingInstances(plant Plant) int {
	sum := 0.0
	for i, at := range p.Arrive {
		if at < 300 {
			sum += p.Service[i]
		}
	}
	return max(plant.Min, min(plant.Max, int(math.Ceil(sum/300*1.3/float64(plant.SlotsPerInstance)))))
}
