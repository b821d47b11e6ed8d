package aws

import (
	"context"
	"runtime"
	"time"

	"maskfleet/deployments/local/aws/cloudwatch"
	"maskfleet/deployments/local/aws/ec2"
	"maskfleet/deployments/local/aws/elb"
)

// basicEvery is how many readings of detailed monitoring make one of basic.
const basicEvery = 5

// monitor tells CloudWatch what EC2 and load balancing would, until ctx ends.
func (a *AWS) monitor(ctx context.Context) error {
	tick := time.NewTicker(time.Duration(a.config.Monitor))
	defer tick.Stop()
	watch := cpuWatch{last: make(map[string]ec2.Load), rounds: make(map[string]int)}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		readings := watch.readings(a.compute.Loads())
		readings = append(readings, trafficReadings(a.balance.Traffic(ctx), time.Now())...)
		if err := a.metrics.Record(readings); err != nil {
			a.log.ErrorContext(ctx, "metrics not kept", "err", err)
		}
	}
}

// cpuWatch makes utilisation of what instances have used in all.
type cpuWatch struct {
	last   map[string]ec2.Load // at the last reading
	rounds map[string]int      // since the last reading, of those with basic monitoring
}

func (w *cpuWatch) readings(loads []ec2.Load) []cloudwatch.Reading {
	var readings []cloudwatch.Reading
	there := make(map[string]ec2.Load)
	for _, load := range loads {
		before, known := w.last[load.ID]
		w.rounds[load.ID]++
		switch {
		case !known || load.Used < before.Used: // new, or booted again
			there[load.ID] = load
			w.rounds[load.ID] = 0
		case !load.Detailed && w.rounds[load.ID] < basicEvery || !load.At.After(before.At):
			there[load.ID] = before
		default:
			there[load.ID] = load
			w.rounds[load.ID] = 0
			readings = append(readings, cloudwatch.Reading{
				Namespace: "AWS/EC2", Name: "CPUUtilization", Dimensions: map[string]string{"InstanceId": load.ID},
				Unit: "Percent", At: before.At, Value: utilisation(before, load),
			})
		}
	}
	for id := range w.last {
		if _, still := there[id]; !still {
			delete(w.rounds, id)
		}
	}
	w.last = there
	return readings
}

// utilisation is in percent of what the instance may use, however little that is.
func utilisation(before, now ec2.Load) float64 {
	cores := now.Cores
	if cores == 0 {
		cores = float64(runtime.NumCPU())
	}
	const most = 100
	return min(most, most*float64(now.Used-before.Used)/float64(now.At.Sub(before.At))/cores)
}

// trafficReadings: nothing is said of requests when there were none, as on AWS.
func trafficReadings(all []elb.Traffic, at time.Time) []cloudwatch.Reading {
	const namespace = "AWS/ApplicationELB"
	var readings []cloudwatch.Reading
	for _, t := range all {
		both := map[string]string{"TargetGroup": t.TargetGroup, "LoadBalancer": t.LoadBalancer}
		say := func(name string, dimensions map[string]string, value float64) {
			readings = append(readings, cloudwatch.Reading{Namespace: namespace, Name: name, Dimensions: dimensions, Unit: "Count", At: at, Value: value})
		}
		say("HealthyHostCount", both, float64(t.Healthy))
		say("UnHealthyHostCount", both, float64(t.Unhealthy))
		if t.Requests == 0 {
			continue
		}
		say("RequestCount", map[string]string{"LoadBalancer": t.LoadBalancer}, float64(t.Requests))
		if t.Healthy > 0 {
			say("RequestCountPerTarget", map[string]string{"TargetGroup": t.TargetGroup}, float64(t.Requests)/float64(t.Healthy))
		}
	}
	return readings
}
