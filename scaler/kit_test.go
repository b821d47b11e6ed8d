package scaler_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/pkg/config"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/telemetry"
	"maskfleet/pkg/testenv"
	"maskfleet/scaler"
)

const patience = 3 * time.Minute // far more than it takes; machines may be busy

// world is AWS, a broker and a database of a test's own, with workers on whatever runs.
type world struct {
	*awstest.AWS
	ec2    *ec2.Client
	broker *testenv.Server
	queue  *jobqueue.Queue // as the operator's tools would
	store  *jobstore.Store
	crew   *crew
	config scaler.Config
}

func newWorld(t *testing.T, policy string) *world {
	t.Helper()
	_, broker := testenv.NATS(t)
	database := testenv.MariaDB(t)
	w := &world{AWS: awstest.Start(t, awstest.Options{}), broker: broker}
	keys := credentials.NewStaticCredentialsProvider(w.AccessKey, w.SecretKey, "")
	w.ec2 = ec2.New(ec2.Options{Region: awstest.Region, Credentials: keys, BaseEndpoint: &w.Endpoint})
	var err error
	if w.store, err = jobstore.Open(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	setup := w.dial(t, "setup")
	eventually(t, "streams made", func() bool { return setup.Ensure(t.Context()) == nil })
	w.queue = w.dial(t, testenv.NATSTester)
	w.crew = hire(t, w)
	w.config, err = config.Load[scaler.Config]([]string{
		"EC2_ENDPOINT=" + w.Endpoint, "ELB_ENDPOINT=" + w.Endpoint, "CLOUDWATCH_ENDPOINT=" + w.Endpoint,
		"AWS_ACCESS_KEY_ID=" + w.AccessKey, "AWS_SECRET_ACCESS_KEY=" + w.SecretKey,
		"FLEET_IMAGE=" + awstest.Image, "FLEET_TYPES=local.quarter", "FLEET_ZONES=" + awstest.Region + "a," + awstest.Region + "b",
		"FLEET_READ_RATE=1000", "FLEET_CHANGE_RATE=1000",
		"FLEET_INTERVAL=100ms", "QUEUE_INTERVAL=100ms", "COUNTERS_INTERVAL=200ms", "LEASE_RENEWAL=500ms", "LEAST_AGE=0s", "REPORT_INTERVAL=200ms",
		"SCALING_POLICY=" + policy, "MYSQL_ADDRESS=" + database.Address, "NATS_URL=" + broker.As("scaler").URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.config.MySQL, w.config.Queue = database, broker.As("scaler")
	return w
}

func (w *world) dial(t *testing.T, user string) *jobqueue.Queue {
	t.Helper()
	queue, err := jobqueue.Open(t.Context(), w.broker.As(user), testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(queue.Close)
	return queue
}

// scale runs a scaler until stop, which returns when it has ended.
func (w *world) scale(t *testing.T, change ...func(*scaler.Config)) (stop func()) {
	t.Helper()
	c := w.config
	for _, change := range change {
		change(&c)
	}
	tel := &telemetry.Telemetry{Log: testenv.Logger(t), Registry: prometheus.NewRegistry()}
	s, shut, err := scaler.Open(t.Context(), c, tel)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			t.Errorf("the scaler ended: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
		shut()
	})
	t.Cleanup(stop)
	return stop
}

// instances gives the ids of what EC2 has, in the given states.
func (w *world) instances(t *testing.T, states ...string) (ids []string) {
	t.Helper()
	out, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{
		{Name: aws.String("instance-state-name"), Values: states},
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

// up is how many instances have not ended.
func (w *world) up(t *testing.T) int {
	t.Helper()
	return len(w.instances(t, "pending", "running", "stopping", "stopped"))
}

// pin puts a policy that pins a size, as a person with the nats command would.
func (w *world) pin(t *testing.T, size int) {
	t.Helper()
	w.put(t, fmt.Sprintf(`{"format":1,"version":2,"policy":"manual","manual":{"size":1},"tick_seconds":0.1,
		"overrides":[{"kind":"pin","size":%d,"who":"ann","why":"a test"}]}`, size))
}

func (w *world) put(t *testing.T, policy string) {
	t.Helper()
	before, err := w.queue.ScalingPolicy(t.Context())
	if err == nil {
		_, err = w.queue.PutScalingPolicy(t.Context(), []byte(policy), before.Revision)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// crew plays a worker on every running instance: it gives signs of life, and drains
// and resumes when it is told.
type crew struct {
	t      *testing.T
	queue  *jobqueue.Queue
	answer *command.Server
	world  *world

	mu        sync.Mutex // guards all below
	hands     map[string]*hand
	silent    map[string]bool // instances whose worker is dead
	stillborn bool            // so is that of the next one
	holding   map[string]int  // photos that a worker has in hand
}

type hand struct {
	draining bool
	since    time.Time
}

func hire(t *testing.T, w *world) *crew {
	t.Helper()
	c := &crew{t: t, world: w, queue: w.dial(t, "worker"), hands: map[string]*hand{}, silent: map[string]bool{}, holding: map[string]int{}}
	var err error
	if c.answer, err = command.Open(w.broker.As("worker"), w.store, c.queue, testenv.Logger(t)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.work(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
		c.answer.Close()
	})
	return c
}

// work gives signs of life for whoever runs.
func (c *crew) work(ctx context.Context) {
	for ctx.Err() == nil {
		out, err := c.world.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{
			{Name: aws.String("instance-state-name"), Values: []string{"running"}},
		}})
		if err == nil {
			for _, r := range out.Reservations {
				for _, i := range r.Instances {
					c.beat(ctx, *i.InstanceId)
				}
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *crew) beat(ctx context.Context, id string) {
	c.mu.Lock()
	h := c.hands[id]
	if h == nil && c.stillborn && !c.silent[id] {
		c.silent[id], c.stillborn = true, false
	}
	if c.silent[id] {
		c.mu.Unlock()
		return
	}
	if h == nil {
		h = &hand{since: time.Now().UTC()}
		c.hands[id] = h
		c.offer(id)
	}
	w := jobqueue.Worker{ID: "w-" + id, Instance: id, Slots: 1, Busy: c.holding[id], Draining: h.draining, StartedAt: h.since}
	if h.draining {
		w.Drain = jobqueue.DrainCommand
	}
	c.mu.Unlock()
	_ = c.queue.PutWorker(ctx, w)
	_ = c.queue.ReportWorker(ctx, jobqueue.WorkerReading{Worker: w.ID, Instance: id, StartedAt: w.StartedAt, Slots: 1, Busy: w.Busy, Draining: w.Draining})
}

func (c *crew) offer(id string) {
	set := func(draining bool) func(context.Context, command.Call, struct{}) (struct{}, error) {
		return func(context.Context, command.Call, struct{}) (struct{}, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.hands[id].draining = draining
			return struct{}{}, nil
		}
	}
	_, err := c.answer.Offer(command.Service{Name: "maskfleet-worker", Area: "worker", Member: "w-" + id},
		command.Change("drain", "Drains.", struct{}{}, struct{}{}, set(true)),
		command.Change("resume", "Resumes.", struct{}{}, struct{}{}, set(false)))
	if err != nil {
		c.t.Error(err)
	}
}

// hold lets a worker have photos in hand.
func (c *crew) hold(id string, photos int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holding[id] = photos
}

func (c *crew) kill(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent[id] = true
}

// killNext has the next instance boot in vain.
func (c *crew) killNext() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stillborn = true
}

// killed is how many instances are dead.
func (c *crew) killed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.silent)
}

func (c *crew) drains(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hands[id] != nil && c.hands[id].draining
}

// eventually waits until a look satisfies.
func eventually(t *testing.T, what string, satisfied func() bool) {
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
