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
	// LongestHistory is how far back History looks.
	LongestHistory = 24 * time.Hour

	finest       = time.Minute // period, of spans up to finestUpTo
	finestUpTo   = 3 * time.Hour
	coarse       = 5 * time.Minute
	historyQuery = "h%d"
)

// Point is what an instance did in a period. What CloudWatch does not know is nil.
type Point struct {
	At       time.Time `json:"at"`                 // its begin
	CPU      *float64  `json:"cpu,omitempty"`      // 0 to 1
	Requests *float64  `json:"requests,omitempty"` // within it
	Jobs     *float64  `json:"jobs,omitempty"`     // within it
}

// History gives what CloudWatch has of an instance, the oldest first: what it has been
// told by EC2 and, in Put, by us. It outlives the instance.
func (f *Fleet) History(ctx context.Context, id string, span time.Duration) (period time.Duration, points []Point, err error) {
	if period = finest; span > finestUpTo {
		period = coarse
	}
	now := time.Now().UTC().Truncate(period)
	in := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(now.Add(-span)), EndTime: &now, ScanBy: types.ScanByTimestampAscending, MetricDataQueries: f.historyQueries(id, period),
	}
	at := map[time.Time]*Point{}
	for pages := cloudwatch.NewGetMetricDataPaginator(f.watch, in); pages.HasMorePages(); {
		err := f.read(ctx, "get metric data", func(ctx context.Context) error {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, result := range page.MetricDataResults {
				takeHistory(at, result)
			}
			return nil
		})
		if err != nil {
			return 0, nil, fmt.Errorf("reading the history of %s: %w", id, err)
		}
	}
	for _, p := range at {
		points = append(points, *p)
	}
	slices.SortFunc(points, func(a, b Point) int { return a.At.Compare(b.At) })
	return period, points, nil
}

// historyQueries ask in the order in which takeHistory takes.
func (f *Fleet) historyQueries(id string, period time.Duration) []types.MetricDataQuery {
	instance := types.Dimension{Name: aws.String("InstanceId"), Value: &id}
	pool := types.Dimension{Name: aws.String("Pool"), Value: &f.cfg.Pool}
	var all []types.MetricDataQuery
	for n, asked := range []struct {
		namespace, name, stat string
		dimensions            []types.Dimension
	}{
		{"AWS/EC2", "CPUUtilization", "Average", []types.Dimension{instance}},
		{f.cfg.Namespace, MeasureRequests, "Sum", []types.Dimension{pool, instance}},
		{f.cfg.Namespace, MeasureJobs, "Sum", []types.Dimension{pool, instance}},
	} {
		all = append(all, types.MetricDataQuery{Id: aws.String(fmt.Sprintf(historyQuery, n)), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: &asked.namespace, MetricName: &asked.name, Dimensions: asked.dimensions},
			Period: aws.Int32(int32(period.Seconds())), Stat: &asked.stat,
		}})
	}
	return all
}

func takeHistory(into map[time.Time]*Point, result types.MetricDataResult) {
	for n, at := range result.Timestamps[:min(len(result.Timestamps), len(result.Values))] {
		at, value := at.UTC(), result.Values[n]
		p := into[at]
		if p == nil {
			p = &Point{At: at}
			into[at] = p
		}
		switch aws.ToString(result.Id) {
		case fmt.Sprintf(historyQuery, 0):
			value /= 100 // it is told in percent
			p.CPU = &value
		case fmt.Sprintf(historyQuery, 1):
			p.Requests = &value
		case fmt.Sprintf(historyQuery, 2):
			p.Jobs = &value
		}
	}
}
