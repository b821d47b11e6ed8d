package cloudwatch

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"
)

// Bounds of what may be put at once.
const (
	mostDatums     = 1000
	mostValues     = 150
	mostDimensions = 30
	longestName    = 255  // of namespaces, metrics and dimensions
	longestValue   = 1024 // of a dimension
	largestPower   = 360  // values go from minus two to this power to plus that
	oldestPut      = 14 * 24 * time.Hour
	newestPut      = 2 * time.Hour
)

type putRequest struct {
	Namespace  string
	MetricData []datum
}

type datum struct {
	MetricName        string
	Dimensions        []dimension
	Timestamp         time.Time
	Value             *float64
	StatisticValues   *statistics
	Values            []float64
	Counts            []float64
	Unit              string
	StorageResolution int
}

type statistics struct {
	SampleCount, Sum, Minimum, Maximum float64
}

// nothing is the answer where there is nothing to say.
type nothing struct{}

func (c *CloudWatch) putMetricData(_ context.Context, in putRequest) (nothing, error) {
	switch {
	case in.Namespace == "":
		return nothing{}, fail(missingParameter, "The parameter Namespace is required.")
	case len(in.Namespace) > longestName:
		return nothing{}, fail(invalidValue, "The parameter Namespace must not have a length greater than %d.", longestName)
	case strings.HasPrefix(in.Namespace, "AWS/"):
		return nothing{}, fail(invalidValue, "The value AWS/ for parameter Namespace is invalid.")
	case len(in.MetricData) == 0:
		return nothing{}, fail(missingParameter, "The parameter MetricData is required.")
	case len(in.MetricData) > mostDatums:
		return nothing{}, fail(invalidValue, "The collection MetricData must not have a size greater than %d.", mostDatums)
	}
	now := time.Now()
	samples := make([]sample, 0, len(in.MetricData))
	for _, d := range in.MetricData {
		s, err := d.sample(in.Namespace, now)
		if err != nil {
			return nothing{}, err
		}
		samples = append(samples, s)
	}
	return nothing{}, c.put(samples)
}

func (d datum) sample(namespace string, now time.Time) (sample, error) {
	s := sample{Metric: metric{namespace, d.MetricName, d.Dimensions}.sorted(), Unit: d.Unit, At: d.Timestamp, Resolution: d.StorageResolution}
	if s.Unit == "" {
		s.Unit = "None"
	}
	if s.At.IsZero() {
		s.At = now
	}
	const minute = 60
	if s.Resolution == 0 {
		s.Resolution = minute
	}
	switch {
	case d.MetricName == "":
		return sample{}, fail(missingParameter, "The parameter MetricData.member.MetricName is required.")
	case len(d.MetricName) > longestName:
		return sample{}, fail(invalidValue, "The parameter MetricData.member.MetricName must not have a length greater than %d.", longestName)
	case !slices.Contains(units(), s.Unit):
		return sample{}, fail(invalidValue, "The parameter MetricData.member.Unit must be a value in the set %v.", units())
	case len(d.Dimensions) > mostDimensions:
		return sample{}, fail(invalidValue, "The collection Dimensions must not have a size greater than %d.", mostDimensions)
	case s.Resolution != 1 && s.Resolution != minute:
		return sample{}, fail(invalidValue, "The value %d for parameter StorageResolution is invalid.", s.Resolution)
	case now.Sub(s.At) > oldestPut || s.At.Sub(now) > newestPut:
		return sample{}, fail(invalidValue, "The parameter Timestamp must specify a time no more than two weeks in the past and two hours in the future.")
	}
	for _, dimension := range d.Dimensions {
		if n, v := len(dimension.Name), len(dimension.Value); n == 0 || v == 0 || n > longestName || v > longestValue {
			return sample{}, fail(invalidValue, "A dimension needs a name of at most %d and a value of at most %d characters.", longestName, longestValue)
		}
	}
	var err error
	s.Set, err = d.set()
	return s, err
}

// set is said in one of three ways.
func (d datum) set() (set, error) {
	ways := 0
	var s set
	if d.Value != nil {
		ways++
		s = set{1, *d.Value, *d.Value, *d.Value}
	}
	if v := d.StatisticValues; v != nil {
		ways++
		s = set{v.SampleCount, v.Sum, v.Minimum, v.Maximum}
	}
	if len(d.Values) > 0 {
		ways++
		var err error
		if s, err = d.gather(); err != nil {
			return set{}, err
		}
	}
	switch {
	case ways == 0:
		return set{}, fail(missingParameter, "At least one of the parameters must be specified.")
	case ways > 1:
		return set{}, fail(invalidCombination, "The parameters Value, Values and StatisticValues are mutually exclusive and you have specified more than one.")
	case !(s.Count > 0) || !believable(s.Count) || !believable(s.Sum) || !believable(s.Min) || !believable(s.Max):
		return set{}, fail(invalidValue, "The value is not a number between -2^%[1]d and 2^%[1]d, or counts nothing.", largestPower)
	}
	return s, nil
}

// believable is false for what is no number, too.
func believable(value float64) bool { return math.Abs(value) <= math.Ldexp(1, largestPower) }

// units are all that CloudWatch knows.
func units() []string {
	all := []string{"None", "Seconds", "Milliseconds", "Microseconds", "Percent", "Count", "Count/Second"}
	for _, what := range []string{"Bytes", "Bits"} {
		all = append(all, what, what+"/Second")
		for _, prefix := range []string{"Kilo", "Mega", "Giga", "Tera"} {
			all = append(all, prefix+strings.ToLower(what), prefix+strings.ToLower(what)+"/Second")
		}
	}
	return all
}

func (d datum) gather() (set, error) {
	if len(d.Values) > mostValues || len(d.Counts) != 0 && len(d.Counts) != len(d.Values) {
		return set{}, fail(invalidValue, "The collection Values must have at most %d values, and as many Counts or none.", mostValues)
	}
	var s set
	for i, value := range d.Values {
		count := 1.0
		if len(d.Counts) > 0 {
			count = d.Counts[i]
		}
		s = s.with(set{count, value * count, value, value})
	}
	return s, nil
}
