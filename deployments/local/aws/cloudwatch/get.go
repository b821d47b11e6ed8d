package cloudwatch

import (
	"context"
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Bounds of one question.
const (
	mostQueries = 500
	mostPoints  = 100800
)

type getRequest struct {
	MetricDataQueries []query
	StartTime         time.Time
	EndTime           time.Time
	NextToken         string
	ScanBy            string
	MaxDatapoints     int
}

type query struct {
	ID         string `wire:"Id"`
	MetricStat *metricStat
	Label      string
	ReturnData *bool
}

type metricStat struct {
	Metric metric
	Period int
	Stat   string
	Unit   string
}

type getResponse struct {
	MetricDataResults []result
	NextToken         string
}

type result struct {
	ID         string `wire:"Id"`
	Label      string
	Timestamps []time.Time
	Values     []float64
	StatusCode string
}

func (c *CloudWatch) getMetricData(_ context.Context, in getRequest) (getResponse, error) {
	if err := in.check(); err != nil {
		return getResponse{}, err
	}
	skip, err := in.skip()
	if err != nil {
		return getResponse{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out, given, room := getResponse{MetricDataResults: []result{}}, skip, in.room()
	for _, q := range in.MetricDataQueries {
		if q.ReturnData != nil && !*q.ReturnData {
			continue
		}
		r := c.answer(q, in)
		all := len(r.Values)
		from := min(skip, all)
		to := min(all, from+room)
		skip, room = skip-from, room-(to-from)
		given += to - from
		r.Timestamps, r.Values = r.Timestamps[from:to], r.Values[from:to]
		if to < all {
			r.StatusCode = "PartialData"
			out.NextToken = base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(given)))
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
	}
	return out, nil
}

func (r getRequest) check() error {
	switch {
	case len(r.MetricDataQueries) == 0:
		return fail(validationError, "The parameter MetricDataQueries is required.")
	case len(r.MetricDataQueries) > mostQueries:
		return fail(validationError, "The collection MetricDataQueries must not have a size greater than %d.", mostQueries)
	case r.StartTime.IsZero() || r.EndTime.IsZero():
		return fail(validationError, "The parameters StartTime and EndTime are required.")
	case !r.StartTime.Before(r.EndTime):
		return fail(validationError, "The parameter StartTime must be less than the parameter EndTime.")
	case !slices.Contains([]string{"", "TimestampAscending", "TimestampDescending"}, r.ScanBy):
		return fail(validationError, "The value %s for parameter ScanBy is invalid.", r.ScanBy)
	case r.MaxDatapoints < 0 || r.MaxDatapoints > mostPoints:
		return fail(validationError, "The parameter MaxDatapoints must not be greater than %d.", mostPoints)
	}
	seen := make(map[string]bool)
	for _, q := range r.MetricDataQueries {
		if !regexp.MustCompile(`^[a-z][a-zA-Z0-9_]{0,254}$`).MatchString(q.ID) || seen[q.ID] {
			return fail(validationError, "The value %s for parameter MetricDataQueries.member.Id is invalid: it must be unique and begin with a lowercase letter.", q.ID)
		}
		seen[q.ID] = true
		if q.MetricStat == nil {
			return fail(validationError, "The parameter MetricDataQueries.member.MetricStat is required: the stand-in computes no expressions.")
		}
		if !isPeriod(q.MetricStat.Period) {
			return fail(validationError, "The parameter MetricDataQueries.member.MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60, not %d.", q.MetricStat.Period)
		}
		if !isStatistic(q.MetricStat.Stat) {
			return fail(validationError, "The value %s for parameter MetricDataQueries.member.MetricStat.Stat is invalid.", q.MetricStat.Stat)
		}
	}
	return nil
}

func isPeriod(seconds int) bool {
	const minute = 60
	return seconds > 0 && (seconds%minute == 0 || slices.Contains([]int{1, 5, 10, 20, 30}, seconds))
}

// skip is how many points were given before.
func (r getRequest) skip() (int, error) {
	if r.NextToken == "" {
		return 0, nil
	}
	text, err := base64.StdEncoding.DecodeString(r.NextToken)
	if err != nil {
		return 0, fail(invalidNextToken, "The next token is not valid.")
	}
	count, err := strconv.Atoi(string(text))
	if err != nil || count < 0 {
		return 0, fail(invalidNextToken, "The next token is not valid.")
	}
	return count, nil
}

func (r getRequest) room() int {
	if r.MaxDatapoints == 0 {
		return mostPoints
	}
	return r.MaxDatapoints
}

// answer is called with mu held. A metric that nobody put has no points, which is no
// error.
func (c *CloudWatch) answer(q query, in getRequest) result {
	r := result{ID: q.ID, Label: q.Label, Timestamps: []time.Time{}, Values: []float64{}, StatusCode: "Complete"}
	if r.Label == "" {
		r.Label = q.MetricStat.Metric.MetricName
	}
	s := c.find(q.MetricStat.Metric, q.MetricStat.Unit)
	if s == nil {
		return r
	}
	points := s.over(in.StartTime, in.EndTime, q.MetricStat.Period)
	if in.ScanBy != "TimestampAscending" {
		slices.Reverse(points)
	}
	for _, p := range points {
		r.Timestamps = append(r.Timestamps, time.Unix(p.At, 0).UTC())
		r.Values = append(r.Values, p.value(q.MetricStat.Stat))
	}
	return r
}

type statisticsRequest struct {
	Namespace  string
	MetricName string
	Dimensions []dimension
	StartTime  time.Time
	EndTime    time.Time
	Period     int
	Statistics []string
	Unit       string
}

type statisticsResponse struct {
	Label      string
	Datapoints []datapoint
}

type datapoint struct {
	Timestamp   time.Time
	SampleCount *float64
	Average     *float64
	Sum         *float64
	Minimum     *float64
	Maximum     *float64
	Unit        string
}

func (c *CloudWatch) getMetricStatistics(_ context.Context, in statisticsRequest) (statisticsResponse, error) {
	if err := in.check(); err != nil {
		return statisticsResponse{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := statisticsResponse{Label: in.MetricName, Datapoints: []datapoint{}}
	s := c.find(metric{in.Namespace, in.MetricName, in.Dimensions}, in.Unit)
	if s == nil {
		return out, nil
	}
	for _, p := range s.over(in.StartTime, in.EndTime, in.Period) {
		d := datapoint{Timestamp: time.Unix(p.At, 0).UTC(), Unit: s.unit}
		for name, field := range map[string]**float64{
			"SampleCount": &d.SampleCount, "Average": &d.Average, "Sum": &d.Sum, "Minimum": &d.Minimum, "Maximum": &d.Maximum,
		} {
			if slices.Contains(in.Statistics, name) {
				value := p.value(name)
				*field = &value
			}
		}
		out.Datapoints = append(out.Datapoints, d)
	}
	return out, nil
}

func (r statisticsRequest) check() error {
	switch {
	case r.Namespace == "" || r.MetricName == "":
		return fail(missingParameter, "The parameters Namespace and MetricName are required.")
	case r.StartTime.IsZero() || r.EndTime.IsZero():
		return fail(missingParameter, "The parameters StartTime and EndTime are required.")
	case !r.StartTime.Before(r.EndTime):
		return fail(invalidValue, "The parameter StartTime must be less than the parameter EndTime.")
	case len(r.Statistics) == 0:
		return fail(missingParameter, "The parameter Statistics is required: the stand-in has no extended ones.")
	}
	for _, name := range r.Statistics {
		if !isStatistic(name) {
			return fail(invalidValue, "The value %s for parameter Statistics is invalid.", name)
		}
	}
	if !isPeriod(r.Period) {
		return fail(invalidValue, "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not %d.", r.Period)
	}
	return nil
}
