package scaler_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/pkg/fleet"
	"maskfleet/scaler"
)

// TestCloudWatchIsTold of the queue and of every instance.
func TestCloudWatchIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	w.scale(t, func(c *scaler.Config) { c.MeasureInterval = time.Second })
	w.awaitWorkers(t, 2)
	watch := cloudwatch.New(cloudwatch.Options{
		Region: awstest.Region, Credentials: credentials.NewStaticCredentialsProvider(w.AccessKey, w.SecretKey, ""), BaseEndpoint: &w.Endpoint,
	})
	for name, series := range map[string]int{
		fleet.MeasureQueueDepth: 1, fleet.MeasureBacklogPerWorker: 1, fleet.MeasureJobs: 2, fleet.MeasureRequests: 2,
	} {
		eventually(t, name+" is there", func() bool {
			out, err := watch.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String("Maskfleet"), MetricName: &name})
			return err == nil && len(out.Metrics) == series
		})
	}
}
