package fleet_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/deployments/local/aws/faults"
	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

func TestInstancesComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	launched := mustGrow(t, f, 5)
	slices.Sort(launched)
	awaitState(t, f, fleet.StateRunning)
	inZone := map[string]int{}
	instances := list(t, f, fleet.Heartbeats{}).Instances
	for _, i := range instances {
		inZone[i.Zone]++
		if i.Type != "local.quarter" || i.Version != awstest.Image || i.Address == "" || i.LaunchedAt.IsZero() || i.Health != fleet.HealthBooting {
			t.Errorf("instance %+v", i)
		}
	}
	if diff := cmp.Diff(launched, ids(instances)); diff != "" {
		t.Errorf("listed (-launched +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{zoneA: 3, zoneB: 2}, inZone); diff != "" {
		t.Errorf("zones (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[jobstore.LaunchState]int{jobstore.LaunchSettled: 2}, w.launches(t)); diff != "" {
		t.Errorf("launches (-want +got):\n%s", diff)
	}
	ended, err := f.Terminate(t.Context(), lease(1), launched[:2]...)
	if err != nil || !slices.Equal(ended, launched[:2]) {
		t.Fatalf("terminated %v, %v", ended, err)
	}
	if left := ids(list(t, f, nil).Instances); !slices.Equal(left, launched[2:]) {
		t.Errorf("left are %v, want %v", left, launched[2:])
	}
}

func TestInstanceIsWhatTheSettingsSay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	id := mustGrow(t, w.open(t), 1)[0]
	out, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	i := out.Reservations[0].Instances[0]
	tags := map[string]string{}
	for _, tag := range i.Tags {
		tags[*tag.Key] = *tag.Value
	}
	intents, err := w.store.UnsettledLaunches(t.Context())
	if err != nil || len(intents) != 1 {
		t.Fatalf("%d intents, %v", len(intents), err)
	}
	want := map[string]string{
		"Name": "maskfleet-worker", "maskfleet:pool": "maskfleet", "maskfleet:version": awstest.Image, "maskfleet:intent": intents[0].ID.String(),
	}
	if diff := cmp.Diff(want, tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if token := aws.ToString(i.ClientToken); token != "maskfleet-1-1-1" || token != intents[0].ClientToken {
		t.Errorf("client token %q, of the intent %q", token, intents[0].ClientToken)
	}
	if m := i.MetadataOptions; m.HttpTokens != ec2types.HttpTokensStateRequired || *m.HttpPutResponseHopLimit != 1 {
		t.Errorf("metadata options: tokens %s, hops %d", m.HttpTokens, *m.HttpPutResponseHopLimit)
	}
	if *i.KeyName != awstest.KeyPair || i.Monitoring.State != ec2types.MonitoringStateEnabled || i.IamInstanceProfile == nil {
		t.Errorf("key %q, monitoring %s, profile %v", *i.KeyName, i.Monitoring.State, i.IamInstanceProfile)
	}
}

// overtaken is a ledger that lets something happen while a list is being made.
type overtaken struct {
	*jobstore.Store
	by func()
}

func (o *overtaken) UnsettledLaunches(ctx context.Context) ([]jobstore.LaunchIntent, error) {
	launches, err := o.Store.UnsettledLaunches(ctx)
	if by := o.by; by != nil {
		o.by = nil
		by()
	}
	return launches, err
}

func TestListingIsAsOldAsItsQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	w.Put(t, faults.Fault{Kind: faults.Unseen, For: "1h"})
	ledger := &overtaken{Store: w.store}
	f, err := fleet.Open(t.Context(), w.config, ledger, testenv.Logger(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	var grown time.Time
	ledger.by = func() {
		mustGrow(t, f, 1)
		grown = time.Now()
	}
	if l := list(t, f, nil); len(l.Instances) != 0 || !l.At.Before(grown) {
		t.Errorf("a listing of %s, without what was launched until %s: %+v", l.At, grown, l.Instances)
	}
	if l := list(t, f, nil); len(l.Instances) != 1 || !l.At.After(grown) {
		t.Errorf("the next listing, of %s, after %s: %+v", l.At, grown, l.Instances)
	}
}

func TestListsArePagedToTheirEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	mustGrow(t, f, 12)
	f.SetPage(5)
	eventually(t, "all twelve are shown", func() bool {
		shown := 0
		for _, i := range list(t, f, nil).Instances {
			if i.Shown {
				shown++
			}
		}
		return shown == 12
	})
}

func TestTargetsComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	w.config.TargetGroup = w.group(t)
	f := w.open(t)
	id := mustGrow(t, f, 1)[0]
	if target := list(t, f, nil).Instances[0].Target; target.State != fleet.TargetNone {
		t.Errorf("before it is registered: %+v", target)
	}
	awaitState(t, f, fleet.StateRunning)
	for range 2 { // the second changes nothing
		if err := f.Register(t.Context(), lease(1), id); err != nil {
			t.Fatal(err)
		}
	}
	awaitTarget(t, f, fleet.TargetHealthy)
	if err := f.Deregister(t.Context(), lease(1), id); err != nil {
		t.Fatal(err)
	}
	if target := list(t, f, nil).Instances[0].Target; target.State != fleet.TargetDraining || target.Reason != "Target.DeregistrationInProgress" {
		t.Errorf("after it was deregistered: %+v", target)
	}
	awaitTarget(t, f, fleet.TargetNone)
}

func TestBalancerThatDoesNotAnswerHidesNoInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	launched := mustGrow(t, w.open(t), 1)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // for only then it is noticed that the client goes
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	f := w.open(t, func(c *fleet.Config) { c.BalancerEndpoint, c.TargetGroup = silent.URL, "arn:of-a-group" })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // what its caller has patience for
	defer cancel()
	l, err := f.Instances(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, l.Targets, fleet.ErrUnavailable)
	if got := ids(l.Instances); !slices.Equal(got, launched) || l.Instances[0].Target.State != fleet.TargetUnknown {
		t.Errorf("listed %+v, want %v", l.Instances, launched)
	}
}

func awaitTarget(t *testing.T, f *fleet.Fleet, want fleet.TargetState) {
	t.Helper()
	eventually(t, "target is "+string(want), func() bool { return list(t, f, nil).Instances[0].Target.State == want })
}

func TestStoppedInstancesAreStartedFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	first := mustGrow(t, f, 3)
	awaitState(t, f, fleet.StateRunning)
	if stopped, err := f.Stop(t.Context(), lease(1), first[:2]...); err != nil || len(stopped) != 2 {
		t.Fatalf("stopped %v, %v", stopped, err)
	}
	eventually(t, "two are stopped", func() bool {
		return 2 == count(list(t, f, nil).Instances, func(i fleet.Instance) bool { return i.State == fleet.StateStopped })
	})
	g, err := f.Grow(t.Context(), lease(2), 3)
	slices.Sort(g.Started)
	slices.Sort(first[:2])
	if err != nil || !slices.Equal(g.Started, first[:2]) || len(g.Launched) != 1 {
		t.Fatalf("grew by %+v, %v; %v were stopped", g, err, first[:2])
	}
	// EC2 may still show them as stopped: they are not started again, they count.
	if up := count(list(t, f, nil).Instances, fleet.Instance.Up); up != 4 {
		t.Errorf("%d are up, want 4", up)
	}
	awaitState(t, f, fleet.StateRunning)
}

func TestStoppedInstanceThatCannotBeStartedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	w.config.Zones = []string{zoneA}
	f := w.open(t)
	two := mustGrow(t, f, 2)
	awaitState(t, f, fleet.StateRunning)
	if _, err := f.Stop(t.Context(), lease(1), two...); err != nil {
		t.Fatal(err)
	}
	awaitState(t, f, fleet.StateStopped)
	w.Put(t, faults.Fault{Kind: faults.Frozen}) // so that the one to be ended is listed as stopped
	if _, err := w.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: two[:1]}); err != nil {
		t.Fatal(err)
	}
	if g, err := f.Grow(t.Context(), lease(2), 2); err != nil || !slices.Equal(g.Started, two[1:]) || len(g.Launched) != 1 {
		t.Errorf("grew by %+v, %v, want %s started and one launched", g, err, two[1])
	}
}

func TestTargetThatIsNotTakenHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	w.config.TargetGroup = w.group(t)
	f := w.open(t)
	two := mustGrow(t, f, 2)
	awaitState(t, f, fleet.StateRunning)
	list(t, f, nil)
	if _, err := w.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: two[:1]}); err != nil {
		t.Fatal(err)
	}
	wantError(t, f.Register(t.Context(), lease(1), two...), fleet.ErrNotFound)
	wantError(t, f.Register(t.Context(), lease(1), "i-0123456789abcdef0"), fleet.ErrForeign)
	registered := slices.DeleteFunc(list(t, f, nil).Instances, func(i fleet.Instance) bool { return i.Target.State == fleet.TargetNone })
	if !slices.Equal(ids(registered), two[1:]) {
		t.Errorf("registered are %v, want %v", ids(registered), two[1:])
	}
}

func TestStoppedInstancesOfAnotherVersionStayStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	old := mustGrow(t, f, 1)
	awaitState(t, f, fleet.StateRunning)
	if _, err := f.Stop(t.Context(), lease(1), old...); err != nil {
		t.Fatal(err)
	}
	awaitState(t, f, fleet.StateStopped)
	f = w.open(t, func(c *fleet.Config) { c.Version = "2" })
	if g, err := f.Grow(t.Context(), lease(2), 1); err != nil || len(g.Started) != 0 || len(g.Launched) != 1 {
		t.Errorf("grew by %+v, %v", g, err)
	}
}

func count(instances []fleet.Instance, is func(fleet.Instance) bool) (n int) {
	for _, i := range instances {
		if is(i) {
			n++
		}
	}
	return n
}

func TestNothingStartsThatTheLeaseMayNotOutlast(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	id := mustGrow(t, f, 1)[0]
	short := fleet.Lease{Epoch: 2, Until: time.Now().Add(w.config.CallTimeout)}
	_, err := f.Grow(t.Context(), short, 1)
	wantError(t, err, fleet.ErrLease)
	_, err = f.Terminate(t.Context(), short, id)
	wantError(t, err, fleet.ErrLease)
	w.config.TargetGroup = w.group(t)
	wantError(t, w.open(t).Register(t.Context(), short, id), fleet.ErrLease)
	if up := w.up(t); len(up) != 1 {
		t.Errorf("%d instances, want 1", len(up))
	}
	if n := w.launches(t)[jobstore.LaunchOpen]; n != 0 {
		t.Errorf("%d launches were written down that could not begin", n)
	}
}

func TestInstancesOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	g, err := w.open(t, func(c *fleet.Config) { c.Pool = "theirs" }).Grow(t.Context(), lease(2), 1)
	if err != nil {
		t.Fatal(err)
	}
	theirs := g.Launched[0]
	w.store = testenv.JobStore(t) // they have one of their own
	f := w.open(t)
	ours := mustGrow(t, f, 1)[0]
	ended, err := f.Terminate(t.Context(), lease(2), theirs, ours)
	wantError(t, err, fleet.ErrForeign)
	if !slices.Equal(ended, []string{ours}) || !slices.Equal(w.up(t), []string{theirs}) {
		t.Errorf("ended %v; up are %v, want %v", ended, w.up(t), theirs)
	}
}

func TestProtectedInstanceDoesNotProtectOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	three := mustGrow(t, f, 3)
	_, err := w.ec2.ModifyInstanceAttribute(t.Context(), &ec2.ModifyInstanceAttributeInput{
		InstanceId: &three[1], DisableApiTermination: &ec2types.AttributeBooleanValue{Value: aws.Bool(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ended, err := f.Terminate(t.Context(), lease(2), three...)
	wantError(t, err, fleet.ErrProtected)
	if slices.Sort(ended); len(ended) != 2 || slices.Contains(ended, three[1]) {
		t.Errorf("ended %v, %s is protected", ended, three[1])
	}
}
