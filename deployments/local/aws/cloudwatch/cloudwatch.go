package cloudwatch

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"time"

	"maskfleet/deployments/local/aws/wire"
)

// CloudWatch is the service. It may be used by many at once.
type CloudWatch struct {
	log     *slog.Logger
	journal *journal

	mu     sync.Mutex // guards series
	series map[string]*series
}

// Open reads the metrics that dir keeps.
func Open(dir string, log *slog.Logger) (*CloudWatch, error) {
	c := &CloudWatch{log: log, series: make(map[string]*series)}
	var err error
	// Nobody wrote down when a sample came: hardly before its own time.
	recall := func(s sample) { c.remember(s, s.At) }
	if c.journal, err = openJournal(dir, recall, c.samples); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends the writing to disk.
func (c *CloudWatch) Close() error { return c.journal.close() }

// Service is what can be asked of CloudWatch.
func (c *CloudWatch) Service() wire.Service {
	return wire.Service{
		Name: "monitoring", Model: "cloudwatch", Version: "2010-08-01",
		Namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/", Dialect: wire.Query, Target: "GraniteServiceVersion20100801",
		Operations: []wire.Operation{
			wire.Changing("PutMetricData", c.putMetricData),
			wire.Reading("GetMetricData", c.getMetricData),
			wire.Reading("GetMetricStatistics", c.getMetricStatistics),
			wire.Reading("ListMetrics", c.listMetrics),
		},
	}
}

// put takes all samples or, if they cannot be kept, none.
func (c *CloudWatch) put(samples []sample) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.journal.write(samples); err != nil {
		return err
	}
	for _, s := range samples {
		c.remember(s, time.Now())
	}
	return nil
}

// remember takes a sample that came at a time. It is called with mu held, or before
// anybody else is there.
func (c *CloudWatch) remember(s sample, came time.Time) {
	now, key := time.Now(), s.Metric.key()
	if now.Sub(s.At) > byMinute {
		return
	}
	known := c.series[key]
	if known == nil {
		c.makeRoom()
		known = &series{metric: s.Metric.sorted()}
		c.series[key] = known
	}
	known.put(s, now)
	if came.After(known.lastPut) {
		known.lastPut = came
	}
}

func (c *CloudWatch) makeRoom() {
	if len(c.series) < mostSeries {
		return
	}
	quiet := ""
	for key, s := range c.series {
		if quiet == "" || s.lastPut.Before(c.series[quiet].lastPut) {
			quiet = key
		}
	}
	delete(c.series, quiet)
}

// samples are what is worth writing when the journal is begun anew: the seconds of a
// minute where they tell all of it, else the minute.
func (c *CloudWatch) samples() []sample {
	const minute = 60
	var all []sample
	for _, s := range c.series {
		counts := make(map[int64]float64)
		for _, b := range s.seconds {
			counts[b.At-b.At%minute] += b.Count
		}
		told := make(map[int64]bool)
		for _, b := range s.minutes {
			told[b.At] = counts[b.At] == b.Count
			if !told[b.At] {
				all = append(all, sample{s.metric, s.unit, time.Unix(b.At, 0).UTC(), minute, b.set})
			}
		}
		for _, b := range s.seconds {
			if told[b.At-b.At%minute] {
				all = append(all, sample{s.metric, s.unit, time.Unix(b.At, 0).UTC(), 1, b.set})
			}
		}
	}
	return all
}

// Reading is what a service of AWS itself says of one of its resources.
type Reading struct {
	Namespace, Name string
	Dimensions      map[string]string
	Unit            string
	At              time.Time
	Value           float64
}

// Record takes readings, by the second.
func (c *CloudWatch) Record(readings []Reading) error {
	samples := make([]sample, 0, len(readings))
	for _, r := range readings {
		m := metric{Namespace: r.Namespace, MetricName: r.Name}
		for name, value := range r.Dimensions {
			m.Dimensions = append(m.Dimensions, dimension{name, value})
		}
		samples = append(samples, sample{m.sorted(), r.Unit, r.At.UTC(), 1, set{1, r.Value, r.Value, r.Value}})
	}
	return c.put(samples)
}

// find gives the series of a metric with exactly these dimensions, in its unit.
func (c *CloudWatch) find(m metric, unit string) *series {
	s := c.series[m.key()]
	if s == nil || unit != "" && s.unit != unit {
		return nil
	}
	return s
}

type listRequest struct {
	Namespace      string
	MetricName     string
	Dimensions     []dimensionFilter
	NextToken      string
	RecentlyActive string
}

// dimensionFilter without a value takes any.
type dimensionFilter struct {
	Name, Value string
}

type listResponse struct {
	Metrics   []metric
	NextToken string
}

const mostListed = 500

func (r listRequest) wants(m metric) bool {
	if r.Namespace != "" && r.Namespace != m.Namespace || r.MetricName != "" && r.MetricName != m.MetricName {
		return false
	}
	for _, f := range r.Dimensions {
		if !slices.ContainsFunc(m.Dimensions, func(d dimension) bool { return d.Name == f.Name && (f.Value == "" || f.Value == d.Value) }) {
			return false
		}
	}
	return true
}

// byKey lists in an order that stays.
func byKey(a, b metric) int { return cmp.Compare(a.key(), b.key()) }
