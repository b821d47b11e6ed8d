package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

const (
	// mostQueries and mostMeasures are the most that CloudWatch takes in one call.
	mostQueries  = 500
	mostMeasures = 1000
	cpuPeriod    = time.Minute
	// cpuWindow is how far back a reading is looked for: one needs about two minutes to
	// be complete.
	cpuWindow = 5 * time.Minute
)

// Reading is a value and its time.
type Reading struct {
	At    time.Time // the begin of the minute that it is about
	Value float64
}

// CPU gives the newest whole minute of instances' CPU, 0 to 1, as CloudWatch has it:
// some two minutes late. Instances without one are left out.
func (f *Fleet) CPU(ctx context.Context, ids []string) (map[string]Reading, error) {
	all := make(map[string]Reading, len(ids))
	for some := range slices.Chunk(ids, mostQueries) {
		if err := f.cpu(ctx, some, all); err != nil {
			return nil, fmt.Errorf("reading the cpu of %d instances: %w", len(ids), err)
		}
	}
	return all, nil
}

func (f *Fleet) cpu(ctx context.Context, ids []string, into map[string]Reading) error {
	now := time.Now().UTC().Truncate(cpuPeriod)
	in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(now.Add(-cpuWindow)), EndTime: &now, ScanBy: types.ScanByTimestampDescending}
	byQuery := make(map[string]string, len(ids))
	for n, id := range ids {
		query := fmt.Sprintf("q%d", n)
		byQuery[query] = id
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: &query, MetricStat: &types.MetricStat{
			Metric: &types.Metric{
				Namespace: aws.String("AWS/EC2"), MetricName: aws.String("CPUUtilization"),
				Dimensions: []types.Dimension{{Name: aws.String("InstanceId"), Value: &id}},
			},
			Period: aws.Int32(int32(cpuPeriod.Seconds())), Stat: aws.String("Average"),
		}})
	}
	for pages := cloudwatch.NewGetMetricDataPaginator(f.watch, in); pages.HasMorePages(); {
		err := f.read(ctx, "get metric data", func(ctx context.Context) error {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, result := range page.MetricDataResults {
				takeNewest(into, byQuery[aws.ToString(result.Id)], result)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// takeNewest reads percent. One query's values may be spread over pages.
func takeNewest(into map[string]Reading, id string, result types.MetricDataResult) {
	for n, at := range result.Timestamps[:min(len(result.Timestamps), len(result.Values))] {
		if at.After(into[id].At) {
			into[id] = Reading{At: at.UTC(), Value: result.Values[n] / 100}
		}
	}
}

// Measure is one value of ours for CloudWatch.
type Measure struct {
	Name     string // such as "QueueDepth"
	Instance string // whose it is; empty: the whole pool's
	At       time.Time
	Value    float64
}

// The measures that the pool and its instances have.
const (
	MeasureRequests         = "HTTPRequests"     // since the last one, of an instance
	MeasureJobs             = "Jobs"             // since the last one, of an instance
	MeasureQueueDepth       = "QueueDepth"       // of the pool
	MeasureBacklogPerWorker = "BacklogPerWorker" // of the pool
)

// Put stores measures, as many in a call as CloudWatch takes. What was stored before
// an error stays.
func (f *Fleet) Put(ctx context.Context, measures []Measure) error {
	for some := range slices.Chunk(measures, mostMeasures) {
		in := &cloudwatch.PutMetricDataInput{Namespace: &f.cfg.Namespace}
		for _, m := range some {
			in.MetricData = append(in.MetricData, f.datum(m))
		}
		err := f.read(ctx, "put metric data", func(ctx context.Context) error {
			_, err := f.watch.PutMetricData(ctx, in)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *Fleet) datum(m Measure) types.MetricDatum {
	d := types.MetricDatum{
		MetricName: &m.Name, Timestamp: &m.At, Value: &m.Value, Unit: types.StandardUnitCount,
		Dimensions: []types.Dimension{{Name: aws.String("Pool"), Value: &f.cfg.Pool}},
	}
	if m.Instance != "" {
		d.Dimensions = append(d.Dimensions, types.Dimension{Name: aws.String("InstanceId"), Value: &m.Instance})
	}
	return d
}
