package elb

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"maskfleet/deployments/local/aws/balancer"
)

// running is one instance.
type running struct{}

func (running) Instance(id string) (state string, address netip.Addr, zone string, known bool) {
	return "running", netip.MustParseAddr("127.9.0.5"), "eu-central-1a", id == "i-1"
}

func withEntrance(dir string, port int, in Entrance) Config {
	in.Port = port
	return Config{
		Dir: dir, Region: "eu-central-1", AccountID: "000000000000", VPC: "vpc-1", Subnets: []string{"subnet-1", "subnet-2"}, Speed: 10,
		Balancers: []balancer.Config{{Port: port, Socket: "/nowhere", Backend: "doors"}}, Entrances: []Entrance{in},
	}
}

func TestEntranceIsKeptLikeAnyOther(t *testing.T) {
	t.Parallel()
	const group = "arn:aws:elasticloadbalancing:eu-central-1:000000000000:targetgroup/web/0123456789abcdef"
	entrance := Entrance{Name: "web", ID: "0123456789abcdef", TargetPort: 8080, CheckPath: "/readyz", Delay: 30}
	dir := t.TempDir()
	e, err := Open(withEntrance(dir, 8080, entrance), running{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	found, err := e.describeTargetGroups(t.Context(), describeGroupsRequest{})
	if err != nil || len(found.TargetGroups) != 1 {
		t.Fatalf("target groups at the first start: %+v, %v", found, err)
	}
	if g := found.TargetGroups[0]; g.ARN != group || g.Port != 8080 || g.CheckPath != "/readyz" || g.VPCID != "vpc-1" || len(g.LoadBalancerARNs) != 1 {
		t.Errorf("target group %+v", g)
	}
	if delay := e.kept.TargetGroups[group].delay().Seconds(); delay != 30 {
		t.Errorf("targets drain for %v s, want 30", delay)
	}
	if _, err := e.registerTargets(t.Context(), targetsRequest{ARN: group, Targets: []targetDescription{{ID: "i-1"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.modifyAttributes(t.Context(), attributesRequest{ARN: group, Attributes: []attribute{{delayAttribute, "60"}}}); err != nil {
		t.Fatal(err)
	}

	again, err := Open(withEntrance(dir, 8081, entrance), running{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	g := again.kept.TargetGroups[group]
	if g == nil || len(again.kept.TargetGroups) != 1 || len(g.Targets) != 1 || g.delay().Seconds() != 60 {
		t.Errorf("target group after a restart: %+v", g)
	}
	listeners, err := again.describeListeners(t.Context(), describeListenersRequest{})
	if err != nil || len(listeners.Listeners) != 1 || listeners.Listeners[0].Port != 8081 {
		t.Errorf("listeners after the port has moved: %+v, %v", listeners, err)
	}
}

// TestEntranceTakesItsPort: two groups must not share a balancer that knows one.
func TestEntranceTakesItsPort(t *testing.T) {
	t.Parallel()
	entrance := Entrance{Name: "web", TargetPort: 8080, CheckPath: "/readyz"}
	before := withEntrance(t.TempDir(), 8080, Entrance{Name: "old", TargetPort: 8080, CheckPath: "/"})
	if _, err := Open(before, running{}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	e, err := Open(withEntrance(before.Dir, 8080, entrance), running{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range e.desired() {
		if d.path != "/readyz" {
			t.Errorf("the balancer asks for %s, want /readyz", d.path)
		}
	}
	if len(e.kept.Listeners) != 1 {
		t.Errorf("%d listeners, want the entrance's", len(e.kept.Listeners))
	}
}

func TestEntranceThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		entrance Entrance
		port     int
		want     string
	}{
		"no name":     {Entrance{TargetPort: 80, CheckPath: "/"}, 0, "name"},
		"no path":     {Entrance{Name: "web", TargetPort: 80}, 0, "path"},
		"long delay":  {Entrance{Name: "web", TargetPort: 80, CheckPath: "/", Delay: 3601}, 0, "3600"},
		"no balancer": {Entrance{Name: "web", TargetPort: 80, CheckPath: "/"}, 9, "port 9"},
	} {
		config := withEntrance(t.TempDir(), 8080, c.entrance)
		if c.port != 0 {
			config.Entrances[0].Port = c.port
		}
		if _, err := Open(config, running{}, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want one that says %q", name, err, c.want)
		}
	}
}
