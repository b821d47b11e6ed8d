package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

// meter puts and reads one metric of the test's own.
type meter struct {
	account
	metric types.Metric
	start  time.Time // a whole minute, some minutes ago
}

func (a account) meter(name string) meter {
	return meter{a, types.Metric{
		Namespace: aws.String("Maskfleet/" + a.name), MetricName: &name,
		Dimensions: []types.Dimension{{Name: aws.String("Pool"), Value: aws.String("workers")}},
	}, time.Now().Add(-10 * time.Minute).Truncate(time.Minute)}
}

func (m meter) put(t *testing.T, change ...func(*types.MetricDatum)) error {
	t.Helper()
	var data []types.MetricDatum
	for _, change := range change {
		d := types.MetricDatum{MetricName: m.metric.MetricName, Dimensions: m.metric.Dimensions, Timestamp: &m.start, Unit: types.StandardUnitCount}
		change(&d)
		data = append(data, d)
	}
	_, err := m.cloudwatch.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: m.metric.Namespace, MetricData: data})
	return err
}

// value is put so many minutes after the start.
func (m meter) value(minute int, value float64) func(*types.MetricDatum) {
	return func(d *types.MetricDatum) {
		d.Value, d.Timestamp = &value, aws.Time(m.start.Add(time.Duration(minute)*time.Minute))
	}
}

func (m meter) query(id, stat string, period int32) types.MetricDataQuery {
	return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{Metric: &m.metric, Period: &period, Stat: &stat}}
}

func (m meter) input(queries ...types.MetricDataQuery) *cloudwatch.GetMetricDataInput {
	return &cloudwatch.GetMetricDataInput{
		MetricDataQueries: queries, StartTime: &m.start, EndTime: aws.Time(m.start.Add(20 * time.Minute)), ScanBy: types.ScanByTimestampAscending,
	}
}

// await reads until all values are there, which on AWS takes a moment.
func (m meter) await(t *testing.T, want []float64, query types.MetricDataQuery) {
	t.Helper()
	m.eventually(t, fmt.Sprintf("%s of %s is %v", *query.MetricStat.Stat, *m.metric.MetricName, want), func() bool {
		out := must(m.cloudwatch.GetMetricData(t.Context(), m.input(query)))(t)
		return cmp.Equal(want, out.MetricDataResults[0].Values)
	})
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	a := open(t)
	m := a.meter("Depth")
	if err := m.put(t, m.value(0, 4), m.value(0, 8), m.value(1, 10), m.value(2, 1)); err != nil {
		t.Fatal(err)
	}
	for stat, want := range map[string][]float64{
		"Sum": {12, 10, 1}, "Average": {6, 10, 1}, "Minimum": {4, 10, 1}, "Maximum": {8, 10, 1}, "SampleCount": {2, 1, 1},
	} {
		t.Run(stat+" by the minute", func(t *testing.T) { m.await(t, want, m.query("a", stat, 60)) })
	}
	t.Run("minutes are gathered into longer periods", func(t *testing.T) {
		even := m.start.Truncate(5 * time.Minute)
		in := m.input(m.query("a", "Sum", 300))
		in.StartTime, in.EndTime = &even, aws.Time(even.Add(10*time.Minute))
		sum := 0.0
		for _, value := range must(a.cloudwatch.GetMetricData(t.Context(), in))(t).MetricDataResults[0].Values {
			sum += value
		}
		if sum != 23 {
			t.Errorf("the sums come to %v, want 23", sum)
		}
	})
	t.Run("the newest comes first unless asked otherwise", func(t *testing.T) {
		in := m.input(m.query("a", "Sum", 60))
		in.ScanBy = ""
		out := must(a.cloudwatch.GetMetricData(t.Context(), in))(t).MetricDataResults[0]
		if diff := cmp.Diff([]float64{1, 10, 12}, out.Values); diff != "" || !out.Timestamps[2].Equal(m.start) {
			t.Errorf("values (-want +got):\n%s\nthe last is of %s, want %s", diff, out.Timestamps[2], m.start)
		}
	})
	t.Run("one nobody put has no values", func(t *testing.T) {
		other := a.meter("Nothing")
		out := must(a.cloudwatch.GetMetricData(t.Context(), other.input(other.query("a", "Sum", 60))))(t).MetricDataResults[0]
		if len(out.Values) != 0 || out.StatusCode != types.StatusCodeComplete {
			t.Errorf("got %v, %s", out.Values, out.StatusCode)
		}
	})
	t.Run("pages give each value once", func(t *testing.T) {
		in := m.input(m.query("a", "Sum", 60), m.query("b", "Maximum", 60))
		in.MaxDatapoints = aws.Int32(2)
		got := make(map[string][]float64)
		count := 0
		for pages := cloudwatch.NewGetMetricDataPaginator(a.cloudwatch, in); pages.HasMorePages(); count++ {
			for _, r := range must(pages.NextPage(t.Context()))(t).MetricDataResults {
				got[*r.Id] = append(got[*r.Id], r.Values...)
			}
		}
		if diff := cmp.Diff(map[string][]float64{"a": {12, 10, 1}, "b": {8, 10, 1}}, got); diff != "" || count < 3 {
			t.Errorf("%d pages gave (-want +got):\n%s", count, diff)
		}
	})
	t.Run("statistics of it", func(t *testing.T) {
		out := must(a.cloudwatch.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: m.metric.Namespace, MetricName: m.metric.MetricName, Dimensions: m.metric.Dimensions, Period: aws.Int32(60),
			StartTime: &m.start, EndTime: aws.Time(m.start.Add(time.Minute)), Statistics: []types.Statistic{types.StatisticAverage, types.StatisticMaximum},
		}))(t).Datapoints
		if len(out) != 1 || *out[0].Average != 6 || *out[0].Maximum != 8 || out[0].Sum != nil || out[0].Unit != types.StandardUnitCount {
			t.Errorf("got %+v, want one point with average 6, maximum 8, in Count", out)
		}
	})
	t.Run("it is listed", func(t *testing.T) {
		a.eventually(t, "the metric is listed", func() bool {
			out := must(a.cloudwatch.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{
				Namespace: m.metric.Namespace, Dimensions: []types.DimensionFilter{{Name: aws.String("Pool")}},
			}))(t).Metrics
			return len(out) == 1 && *out[0].MetricName == "Depth" && *out[0].Dimensions[0].Value == "workers"
		})
	})
}

func TestMetricsPut(t *testing.T) {
	t.Parallel()
	a := open(t)
	t.Run("two hundred at once, packed", func(t *testing.T) {
		m := a.meter("Many")
		var many []func(*types.MetricDatum)
		for range 200 {
			many = append(many, m.value(0, 1))
		}
		if err := m.put(t, many...); err != nil {
			t.Fatal(err)
		}
		m.await(t, []float64{200}, m.query("a", "Sum", 60))
	})
	t.Run("a small one, packed", func(t *testing.T) {
		m := a.meter("Packed")
		packed := cloudwatch.NewFromConfig(aws.Config{
			Region: a.cloudwatch.Options().Region, Credentials: a.cloudwatch.Options().Credentials,
			BaseEndpoint: a.cloudwatch.Options().BaseEndpoint, RequestMinCompressSizeBytes: 0,
		})
		_, err := packed.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{
			Namespace: m.metric.Namespace, MetricData: []types.MetricDatum{{MetricName: m.metric.MetricName, Dimensions: m.metric.Dimensions, Timestamp: &m.start, Value: aws.Float64(3)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		m.await(t, []float64{3}, m.query("a", "Sum", 60))
	})
	t.Run("values with counts", func(t *testing.T) {
		m := a.meter("Counted")
		if err := m.put(t, func(d *types.MetricDatum) { d.Values, d.Counts = []float64{2, 10}, []float64{3, 1} }); err != nil {
			t.Fatal(err)
		}
		m.await(t, []float64{4}, m.query("a", "Average", 60))
	})
	t.Run("a set of statistics", func(t *testing.T) {
		m := a.meter("Set")
		if err := m.put(t, func(d *types.MetricDatum) {
			d.StatisticValues = &types.StatisticSet{SampleCount: aws.Float64(4), Sum: aws.Float64(10), Minimum: aws.Float64(1), Maximum: aws.Float64(4)}
		}); err != nil {
			t.Fatal(err)
		}
		m.await(t, []float64{2.5}, m.query("a", "Average", 60))
	})
	t.Run("by the second", func(t *testing.T) {
		m := a.meter("Second")
		second := func(n int, value float64) func(*types.MetricDatum) {
			return func(d *types.MetricDatum) {
				d.Value, d.StorageResolution, d.Timestamp = &value, aws.Int32(1), aws.Time(m.start.Add(time.Duration(n)*time.Second))
			}
		}
		if err := m.put(t, second(0, 1), second(3, 2), second(12, 5)); err != nil {
			t.Fatal(err)
		}
		m.await(t, []float64{3, 5}, m.query("a", "Sum", 10))
		m.await(t, []float64{8}, m.query("a", "Sum", 60))
	})
}

func TestMetricsRefused(t *testing.T) {
	t.Parallel()
	a := open(t)
	m := a.meter("Refused")
	t.Run("a namespace of AWS", func(t *testing.T) {
		own := m
		own.metric.Namespace = aws.String("AWS/EC2")
		err := own.put(t, m.value(0, 1))
		wantType[*types.InvalidParameterValueException](t, err)
		wantCode(t, err, "InvalidParameterValue")
	})
	t.Run("two ways to say a value", func(t *testing.T) {
		err := m.put(t, func(d *types.MetricDatum) { d.Value, d.Values = aws.Float64(1), []float64{1} })
		wantType[*types.InvalidParameterCombinationException](t, err)
	})
	t.Run("no value", func(t *testing.T) {
		wantType[*types.MissingRequiredParameterException](t, m.put(t, func(*types.MetricDatum) {}))
	})
	t.Run("a month ago", func(t *testing.T) {
		wantType[*types.InvalidParameterValueException](t, m.put(t, m.value(-60*24*30, 1)))
	})
	t.Run("an end before its start", func(t *testing.T) {
		in := m.input(m.query("a", "Sum", 60))
		in.StartTime, in.EndTime = in.EndTime, in.StartTime
		_, err := a.cloudwatch.GetMetricData(t.Context(), in)
		wantCode(t, err, "ValidationError")
	})
	t.Run("a name that begins with a capital", func(t *testing.T) {
		_, err := a.cloudwatch.GetMetricData(t.Context(), m.input(m.query("A", "Sum", 60)))
		wantCode(t, err, "ValidationError")
	})
	t.Run("a period of seven seconds", func(t *testing.T) {
		_, err := a.cloudwatch.GetMetricData(t.Context(), m.input(m.query("a", "Sum", 7)))
		wantCode(t, err, "ValidationError")
	})
	t.Run("a token that is none", func(t *testing.T) {
		in := m.input(m.query("a", "Sum", 60))
		in.NextToken = aws.String("guessed")
		_, err := a.cloudwatch.GetMetricData(t.Context(), in)
		wantType[*types.InvalidNextToken](t, err)
	})
}

func TestMetricsOfInstances(t *testing.T) {
	t.Parallel()
	a := open(t)
	id := a.running(t, 1, func(in *ec2.RunInstancesInput) {
		in.Monitoring = &ec2types.RunInstancesMonitoringEnabled{Enabled: aws.Bool(true)}
	})[0]
	m := meter{a, types.Metric{
		Namespace: aws.String("AWS/EC2"), MetricName: aws.String("CPUUtilization"),
		Dimensions: []types.Dimension{{Name: aws.String("InstanceId"), Value: &id}},
	}, time.Now().Truncate(time.Minute)}
	a.eventually(t, "EC2 says how busy the instance is", func() bool {
		out := must(a.cloudwatch.GetMetricData(t.Context(), m.input(m.query("cpu", "Average", 60))))(t).MetricDataResults[0]
		if len(out.Values) == 0 {
			return false
		}
		if out.Values[0] < 0 || out.Values[0] > 100 {
			t.Errorf("it is %v percent busy", out.Values[0])
		}
		return true
	})
}
