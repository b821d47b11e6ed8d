package cloudwatch

import (
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func openIn(t *testing.T, dir string) *CloudWatch {
	t.Helper()
	c, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // some tests have closed it
	return c
}

func (c *CloudWatch) mustPut(t *testing.T, name string, at time.Time, resolution int, value float64) {
	t.Helper()
	if err := c.put([]sample{{Metric: metric{Namespace: "N", MetricName: name}, Unit: "Count", At: at, Resolution: resolution, Set: set{1, value, value, value}}}); err != nil {
		t.Fatal(err)
	}
}

// sums by the period, oldest first.
func (c *CloudWatch) sums(t *testing.T, name string, period int) []float64 {
	t.Helper()
	out, err := c.getMetricData(t.Context(), getRequest{
		MetricDataQueries: []query{{ID: "a", MetricStat: &metricStat{Metric: metric{Namespace: "N", MetricName: name}, Period: period, Stat: "Sum"}}},
		StartTime:         time.Now().Add(-25 * time.Hour), EndTime: time.Now().Add(time.Hour), ScanBy: "TimestampAscending",
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.MetricDataResults[0].Values
}

func TestMetricsOutliveTheirProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := openIn(t, dir)
	base := time.Now().Add(-10 * time.Minute).Truncate(time.Minute)
	c.mustPut(t, "minutes", base, 60, 1)
	c.mustPut(t, "minutes", base.Add(time.Minute), 60, 2)
	c.mustPut(t, "seconds", base, 1, 3)
	c.mustPut(t, "seconds", base.Add(10*time.Second), 1, 4)
	c.mustPut(t, "both", base, 60, 5)
	c.mustPut(t, "both", base, 1, 6)
	for n := range 3 { // begun anew each time
		t.Run(fmt.Sprint("start ", n+1), func(t *testing.T) {
			c := openIn(t, dir)
			for name, want := range map[string][]float64{"minutes": {1, 2}, "seconds": {7}, "both": {11}} {
				if diff := cmp.Diff(want, c.sums(t, name, 60)); diff != "" {
					t.Errorf("%s by the minute (-want +got):\n%s", name, diff)
				}
			}
			if diff := cmp.Diff([]float64{3, 4}, c.sums(t, "seconds", 10)); diff != "" {
				t.Errorf("seconds by ten (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHalfALineIsPassedOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := openIn(t, dir)
	c.mustPut(t, "kept", time.Now(), 60, 1)
	path := filepath.Join(dir, "cloudwatch.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, text[:len(text)/2]...), 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{1}, openIn(t, dir).sums(t, "kept", 60)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWhatIsOldIsForgotten(t *testing.T) {
	t.Parallel()
	var s series
	now := time.Now().Truncate(time.Minute)
	for n := range 26 * 60 {
		at := now.Add(time.Duration(n) * time.Minute)
		s.put(sample{At: at, Resolution: 1, Set: set{1, 1, 1, 1}}, at)
	}
	const day, hour, spare = 24 * 60, 60, 101
	if len(s.minutes) > day+spare || len(s.seconds) > hour+spare {
		t.Errorf("there are %d minutes and %d seconds after 26 hours, want at most %d and %d", len(s.minutes), len(s.seconds), day+spare, hour+spare)
	}
}

func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	c := openIn(t, t.TempDir())
	now := time.Now()
	for n := range mostSeries + 5 {
		c.mustPut(t, fmt.Sprintf("m%05d", n), now, 60, 1)
	}
	if len(c.series) != mostSeries {
		t.Errorf("there are %d series, want %d", len(c.series), mostSeries)
	}
	if got := c.sums(t, "m00000", 60); len(got) != 0 {
		t.Error("the one that was quiet for longest is there")
	}
	out, err := c.listMetrics(t.Context(), listRequest{Namespace: "N"})
	if err != nil || len(out.Metrics) != mostListed || out.NextToken == "" {
		t.Fatalf("listed %d, token %q, %v; want a full page and a token", len(out.Metrics), out.NextToken, err)
	}
	rest, err := c.listMetrics(t.Context(), listRequest{Namespace: "N", NextToken: out.NextToken})
	if err != nil || len(rest.Metrics) != mostSeries-mostListed {
		t.Errorf("the next page has %d, %v; want %d", len(rest.Metrics), err, mostSeries-mostListed)
	}
}

// TestQuietSeriesGoesFirstAfterARestart: reading the journal is no sign of life.
func TestQuietSeriesGoesFirstAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := openIn(t, dir)
	now := time.Now()
	for n := range mostSeries - 1 {
		c.mustPut(t, fmt.Sprintf("m%05d", n), now, 60, 1)
	}
	c.mustPut(t, "quiet", now.Add(-time.Hour), 60, 1)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	again := openIn(t, dir)
	again.mustPut(t, "new", now, 60, 1)
	if got := again.sums(t, "quiet", 60); len(got) != 0 {
		t.Error("the one that was quiet for longest is there")
	}
	if len(again.series) != mostSeries {
		t.Errorf("there are %d series, want %d", len(again.series), mostSeries)
	}
}

func TestPutIsBounded(t *testing.T) {
	t.Parallel()
	c := openIn(t, t.TempDir())
	long := func(n int) string { return strings.Repeat("x", n) }
	one, huge, endless := 1.0, math.Ldexp(1, 361), math.Inf(-1)
	for name, in := range map[string]putRequest{
		"namespace":       {long(256), []datum{{MetricName: "m", Value: &one}}},
		"metric":          {"N", []datum{{MetricName: long(256), Value: &one}}},
		"dimension":       {"N", []datum{{MetricName: "m", Value: &one, Dimensions: []dimension{{long(256), "v"}}}}},
		"dimension value": {"N", []datum{{MetricName: "m", Value: &one, Dimensions: []dimension{{"d", long(1025)}}}}},
		"unit":            {"N", []datum{{MetricName: "m", Value: &one, Unit: long(20)}}},
		"value":           {"N", []datum{{MetricName: "m", Value: &huge}}},
		"infinity":        {"N", []datum{{MetricName: "m", Value: &endless}}},
		"count":           {"N", []datum{{MetricName: "m", StatisticValues: &statistics{huge, 1, 1, 1}}}},
	} {
		if _, err := c.putMetricData(t.Context(), in); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	longest := putRequest{long(255), []datum{{MetricName: long(255), Value: &one, Unit: "Terabits/Second", Dimensions: []dimension{{long(255), long(1024)}}}}}
	if _, err := c.putMetricData(t.Context(), longest); err != nil {
		t.Errorf("the longest: %v", err)
	}
}

func TestJournalIsBegunAnew(t *testing.T) {
	t.Parallel()
	c := openIn(t, t.TempDir())
	now := time.Now()
	c.journal.limit = 10
	for range 50 {
		c.mustPut(t, "one", now, 60, 1)
	}
	if c.journal.lines > c.journal.limit {
		t.Errorf("the journal has %d lines, its limit is %d", c.journal.lines, c.journal.limit)
	}
	if diff := cmp.Diff([]float64{50}, openIn(t, filepath.Dir(c.journal.path)).sums(t, "one", 60)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
