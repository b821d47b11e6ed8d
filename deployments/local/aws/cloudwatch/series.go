package cloudwatch

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// How much is kept, of what is counted by the minute and by the second.
const (
	byMinute   = 24 * time.Hour
	bySecond   = time.Hour
	mostSeries = 1000 // the one that was quiet for longest goes first
)

// dimension tells series of one name apart.
type dimension struct {
	Name, Value string
}

// metric names a series.
type metric struct {
	Namespace  string
	MetricName string
	Dimensions []dimension
}

func (m metric) sorted() metric {
	m.Dimensions = slices.Clone(m.Dimensions)
	slices.SortFunc(m.Dimensions, func(a, b dimension) int { return cmp.Compare(a.Name, b.Name) })
	return m
}

// key is the same whatever the order of the dimensions.
func (m metric) key() string {
	var text strings.Builder
	text.WriteString(m.Namespace + "\x00" + m.MetricName)
	for _, d := range m.sorted().Dimensions {
		text.WriteString("\x00" + d.Name + "\x00" + d.Value)
	}
	return text.String()
}

// set is what a number of samples come to.
type set struct {
	Count, Sum, Min, Max float64
}

func (s set) with(o set) set {
	if s.Count == 0 {
		return o
	}
	return set{s.Count + o.Count, s.Sum + o.Sum, min(s.Min, o.Min), max(s.Max, o.Max)}
}

// bucket holds the samples of one stretch of time.
type bucket struct {
	At int64 // its first second
	set
}

// series is one metric over time.
type series struct {
	metric  metric
	unit    string
	lastPut time.Time
	minutes []bucket // in order
	seconds []bucket // in order; of metrics that were put by the second only
}

// sample is what is put, and kept on disk.
type sample struct {
	Metric     metric
	Unit       string
	At         time.Time
	Resolution int // seconds: 1 or 60
	Set        set
}

func (s *series) put(sample sample, now time.Time) {
	const minute = 60
	at := sample.At.Unix()
	s.unit = sample.Unit
	s.minutes = into(trim(s.minutes, now.Add(-byMinute)), at-at%minute, sample.Set)
	if sample.Resolution < minute {
		s.seconds = into(trim(s.seconds, now.Add(-bySecond)), at, sample.Set)
	}
}

// into adds to the bucket of that time, which mostly is the last one.
func into(buckets []bucket, at int64, s set) []bucket {
	i, found := slices.BinarySearchFunc(buckets, at, func(b bucket, at int64) int { return cmp.Compare(b.At, at) })
	if found {
		buckets[i].set = buckets[i].with(s)
		return buckets
	}
	return slices.Insert(buckets, i, bucket{at, s})
}

func trim(buckets []bucket, oldest time.Time) []bucket {
	i, _ := slices.BinarySearchFunc(buckets, oldest.Unix(), func(b bucket, at int64) int { return cmp.Compare(b.At, at) })
	const worthMoving = 100
	if i < worthMoving {
		return buckets
	}
	return slices.Clone(buckets[i:])
}

// over gathers the samples from start to before end in stretches of the period.
func (s *series) over(start, end time.Time, period int) []bucket {
	const minute = 60
	from := s.minutes
	if period%minute != 0 {
		from = s.seconds
	}
	var gathered []bucket
	for _, b := range from {
		at := b.At - b.At%int64(period)
		if at < start.Unix() || at >= end.Unix() {
			continue
		}
		if last := len(gathered) - 1; last >= 0 && gathered[last].At == at {
			gathered[last].set = gathered[last].with(b.set)
			continue
		}
		gathered = append(gathered, bucket{at, b.set})
	}
	return gathered
}

// value is one statistic of the samples.
func (s set) value(statistic string) float64 {
	switch statistic {
	case "Average":
		return s.Sum / s.Count
	case "Sum":
		return s.Sum
	case "Minimum":
		return s.Min
	case "Maximum":
		return s.Max
	default:
		return s.Count
	}
}

func isStatistic(name string) bool {
	return slices.Contains([]string{"Average", "Sum", "Minimum", "Maximum", "SampleCount"}, name)
}
