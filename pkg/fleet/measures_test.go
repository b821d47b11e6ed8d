package fleet_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/deployments/local/aws/faults"
	"maskfleet/pkg/fleet"
)

func TestMeasuresArePutInBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	now := time.Now().UTC().Add(-time.Minute).Truncate(time.Second)
	measures := []fleet.Measure{{Name: fleet.MeasureQueueDepth, At: now, Value: 42}}
	for n := range 1500 { // two calls
		measures = append(measures, fleet.Measure{Name: fleet.MeasureJobs, Instance: fmt.Sprintf("i-%d", n%2), At: now, Value: 1})
	}
	if err := f.Put(t.Context(), measures); err != nil {
		t.Fatal(err)
	}
	watch := cloudwatch.New(cloudwatch.Options{
		Region: region, Credentials: credentials.NewStaticCredentialsProvider(w.AccessKey, w.SecretKey, ""), BaseEndpoint: &w.Endpoint,
	})
	pool := types.Dimension{Name: aws.String("Pool"), Value: aws.String("maskfleet")}
	for _, test := range []struct {
		name     string
		instance string
		want     float64
	}{{fleet.MeasureQueueDepth, "", 42}, {fleet.MeasureJobs, "i-0", 750}, {fleet.MeasureJobs, "i-1", 750}} {
		dimensions := []types.Dimension{pool}
		if test.instance != "" {
			dimensions = append(dimensions, types.Dimension{Name: aws.String("InstanceId"), Value: &test.instance})
		}
		out, err := watch.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("Maskfleet"), MetricName: &test.name, Dimensions: dimensions, Period: aws.Int32(60),
			StartTime: aws.Time(now.Add(-time.Hour)), EndTime: aws.Time(now.Add(time.Hour)), Statistics: []types.Statistic{types.StatisticSum},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Datapoints) != 1 || *out.Datapoints[0].Sum != test.want {
			t.Errorf("%s of %q: %+v, want %g", test.name, test.instance, out.Datapoints, test.want)
		}
	}
}

func TestCPUOfManyInstances(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	launched := mustGrow(t, f, 2)
	awaitState(t, f, fleet.StateRunning)
	for _, i := range list(t, f, nil).Instances {
		makeBusy(t, i.Address)
	}
	asked := launched
	for n := range 600 { // more than one call takes; nobody knows these
		asked = append(asked, fmt.Sprintf("i-%017d", n))
	}
	eventually(t, "both have a reading", func() bool {
		readings, err := f.CPU(t.Context(), asked)
		if err != nil {
			return false // two busy instances leave it little of the machine
		}
		for id, r := range readings {
			if r.Value < 0 || r.Value > 1.05 || time.Since(r.At) > time.Hour {
				t.Errorf("reading of %s: %+v", id, r)
			}
		}
		return len(readings) == 2
	})
}

func makeBusy(t *testing.T, address string) {
	t.Helper()
	url := fmt.Sprintf("http://%s:%d/busy", address, awstest.GuestPort)
	eventually(t, url+" answers", func() bool {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		return response.Body.Close() == nil
	})
}

func TestThrottledMeasuresAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.Throttling, Operations: []string{"PutMetricData", "GetMetricData"}})
	wantError(t, f.Put(t.Context(), []fleet.Measure{{Name: fleet.MeasureQueueDepth, At: time.Now(), Value: 1}}), fleet.ErrThrottled)
	_, err := f.CPU(t.Context(), []string{"i-1"})
	wantError(t, err, fleet.ErrThrottled)
}
