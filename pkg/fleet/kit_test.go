package fleet_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/go-sql-driver/mysql"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/pkg/config"
	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

const (
	region   = awstest.Region
	zoneA    = region + "a"
	zoneB    = region + "b"
	patience = 3 * time.Minute // far more than it takes; machines may be busy
)

// world is a stand-in for AWS, an account's view of it past the fleet, and a database
// for launches.
type world struct {
	*awstest.AWS
	ec2    *ec2.Client
	elb    *elb.Client
	config fleet.Config

	database jobstore.Config
	store    *jobstore.Store
}

func newWorld(t testing.TB, options awstest.Options) *world {
	t.Helper()
	w := &world{AWS: awstest.Start(t, options), database: testenv.MariaDB(t)}
	var err error
	if w.store, err = jobstore.Open(t.Context(), w.database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	keys := credentials.NewStaticCredentialsProvider(w.AccessKey, w.SecretKey, "")
	w.ec2 = ec2.New(ec2.Options{Region: region, Credentials: keys, BaseEndpoint: &w.Endpoint})
	w.elb = elb.New(elb.Options{Region: region, Credentials: keys, BaseEndpoint: &w.Endpoint})
	w.config, err = config.Load[fleet.Config]([]string{
		"FLEET_CALL_TIMEOUT=30s", // machines may be busy
		"EC2_ENDPOINT=" + w.Endpoint, "ELB_ENDPOINT=" + w.Endpoint, "CLOUDWATCH_ENDPOINT=" + w.Endpoint,
		"AWS_ACCESS_KEY_ID=" + w.AccessKey, "AWS_SECRET_ACCESS_KEY=" + w.SecretKey,
		"FLEET_IMAGE=" + awstest.Image, "FLEET_TYPES=local.quarter,local.half", "FLEET_ZONES=" + zoneA + "," + zoneB,
		"FLEET_KEY_PAIR=" + awstest.KeyPair, "FLEET_INSTANCE_PROFILE=" + awstest.Profile, "FLEET_USER_DATA=GATE=7\n",
		"FLEET_READ_RATE=1000", "FLEET_CHANGE_RATE=1000",
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// open opens a fleet as a scaler that has just become the leader would.
func (w *world) open(t testing.TB, change ...func(*fleet.Config)) *fleet.Fleet {
	t.Helper()
	c := w.config
	for _, change := range change {
		change(&c)
	}
	f, err := fleet.Open(t.Context(), c, w.store, testenv.Logger(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// lease is one that lasts.
func lease(epoch uint64) fleet.Lease {
	return fleet.Lease{Epoch: epoch, Until: time.Now().Add(time.Hour)}
}

// group makes a target group behind a listener.
func (w *world) group(t testing.TB) (arn string) {
	t.Helper()
	subnets, err := w.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range subnets.Subnets {
		ids = append(ids, *s.SubnetId)
	}
	group, err := w.elb.CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String("workers"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(awstest.GuestPort), VpcId: subnets.Subnets[0].VpcId,
		HealthCheckPath: aws.String("/readyz"), HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
		HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
	})
	if err != nil {
		t.Fatal(err)
	}
	balancer, err := w.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: aws.String("entry"), Subnets: ids})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.elb.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(int32(w.Ports[0])),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: group.TargetGroups[0].TargetGroupArn}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *group.TargetGroups[0].TargetGroupArn
}

// up gives the ids of all instances that EC2 has and that have not ended, of the pool
// or not, by a way of its own.
func (w *world) up(t *testing.T) (ids []string) {
	t.Helper()
	out, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{
		{Name: aws.String("instance-state-name"), Values: []string{"pending", "running", "stopping", "stopped"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			ids = append(ids, *i.InstanceId)
		}
	}
	slices.Sort(ids)
	return ids
}

func mustGrow(t testing.TB, f *fleet.Fleet, n int) []string {
	t.Helper()
	g, err := f.Grow(t.Context(), lease(1), n)
	if err != nil || g.Count() != n {
		t.Fatalf("growing by %d: %+v, %v", n, g, err)
	}
	return slices.Concat(g.Started, g.Launched)
}

func list(t testing.TB, f *fleet.Fleet, alive fleet.Heartbeats) fleet.Listing {
	t.Helper()
	l, err := f.Instances(t.Context(), alive)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func ids(instances []fleet.Instance) (all []string) {
	for _, i := range instances {
		all = append(all, i.ID)
	}
	slices.Sort(all)
	return all
}

// eventually waits until a look at the fleet satisfies.
func eventually(t testing.TB, what string, satisfied func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !satisfied() {
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s", patience, what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// awaitState waits until all instances of the pool are in a state.
func awaitState(t testing.TB, f *fleet.Fleet, state fleet.State) {
	t.Helper()
	eventually(t, "all are "+string(state), func() bool {
		return !slices.ContainsFunc(list(t, f, nil).Instances, func(i fleet.Instance) bool { return i.State != state || !i.Shown })
	})
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

// launches counts intents by their state, past the store.
func (w *world) launches(t *testing.T) map[jobstore.LaunchState]int {
	t.Helper()
	c, d := w.database, mysql.NewConfig()
	d.Net, d.Addr, d.User, d.Passwd, d.DBName = "tcp", c.Address, c.User, c.Password, c.Database
	connector, err := mysql.NewConnector(d)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), `SELECT state, COUNT(*) FROM launch_intents GROUP BY state`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	count := map[jobstore.LaunchState]int{}
	for rows.Next() {
		var state jobstore.LaunchState
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			t.Fatal(err)
		}
		count[state] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return count
}
