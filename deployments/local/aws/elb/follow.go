package elb

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"maskfleet/deployments/local/aws/balancer"
)

// instancePrefix begins the names of all servers that are targets.
const instancePrefix = "i-"

// desired is what one balancer should have.
type desired struct {
	balancer *balancer.Balancer
	path     string // of its checks
	check    balancer.Check
	servers  map[string]server
}

type server struct {
	at       netip.AddrPort
	draining bool
	stale    bool
	group    string // ARN
}

// follow compares every balancer with what is registered and takes the next step for
// each server that differs. It looks at the whole each time: neither a balancer nor
// a stand-in that was killed leaves anything to be remembered.
func (e *ELB) follow(ctx context.Context) {
	e.endDraining(ctx)
	for _, want := range e.desired() {
		if err := e.bring(ctx, want); ctx.Err() == nil {
			e.tell(ctx, want.balancer.Port(), err)
		}
	}
}

// tell says why a balancer is behind once, and again when that changes: a look comes
// several times a second.
func (e *ELB) tell(ctx context.Context, port int, err error) {
	before, now := e.troubles[port], ""
	if err != nil {
		now = err.Error()
	}
	e.troubles[port] = now
	switch {
	case now == before:
	case err != nil:
		e.log.WarnContext(ctx, "balancer not brought up to date", "port", port, "err", err)
	default:
		e.log.InfoContext(ctx, "balancer up to date again", "port", port)
	}
}

// endDraining forgets targets whose time is over.
func (e *ELB) endDraining(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, ended := time.Now(), false
	for _, g := range e.kept.TargetGroups {
		for name, t := range g.Targets {
			state, _, _, known := e.instances.Instance(t.Instance)
			if !known || t.draining() && (now.After(t.DrainedAt) || state != "running") {
				delete(g.Targets, name)
				ended = true
				e.log.InfoContext(ctx, "target deregistered", "target", name, "target_group", g.Name)
			}
		}
	}
	if !ended {
		return
	}
	if err := e.save(); err != nil {
		e.log.ErrorContext(ctx, "state not kept", "err", err)
	}
}

// desired covers all balancers: one without a listener should have no servers.
func (e *ELB) desired() []desired {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []desired
	for port, b := range e.balancers {
		want := desired{balancer: b, servers: make(map[string]server)}
		for _, l := range e.kept.Listeners {
			if g := e.kept.TargetGroups[l.TargetGroup]; l.Port == port && g != nil {
				e.want(&want, g)
			}
		}
		all = append(all, want)
	}
	return all
}

func (e *ELB) want(d *desired, g *targetGroup) {
	port, _ := strconv.ParseUint(g.Check.Port, 10, 16) // 0 for traffic-port
	d.path = g.Check.Path
	d.check = balancer.Check{
		Port: uint16(port), Rise: g.Check.Rise, Fall: g.Check.Fall,
		Interval: e.faster(time.Duration(g.Check.Interval) * time.Second),
	}
	for name, t := range g.Targets {
		state, address, _, known := e.instances.Instance(t.Instance)
		if known && state == "running" {
			d.servers[name] = server{netip.AddrPortFrom(address, uint16(t.Port)), t.draining(), t.Stale, g.ARN}
		}
	}
}

func (e *ELB) bring(ctx context.Context, want desired) error {
	listed, err := want.balancer.Servers(ctx)
	if err != nil {
		return err
	}
	if want.path != "" {
		if err := want.balancer.CheckPath(ctx, want.path); err != nil {
			return err
		}
	}
	there := make(map[string]balancer.Server)
	for _, s := range listed {
		if !strings.HasPrefix(s.Name, instancePrefix) {
			continue // somebody else's, who wrote it into the balancer's settings
		}
		there[s.Name] = s
		wanted, known := want.servers[s.Name]
		// What drains finishes what it has, by whatever settings.
		if !known || wanted.stale && !wanted.draining {
			if err := want.balancer.Remove(ctx, s.Name); err != nil {
				e.log.DebugContext(ctx, "server not removed yet", "server", s.Name, "err", err)
				delete(want.servers, s.Name) // nothing else is done to it before
				continue
			}
			delete(there, s.Name)
		}
	}
	for name, s := range want.servers {
		if err := e.bringServer(ctx, want, name, s, there); err != nil {
			return err
		}
	}
	return nil
}

// bringServer takes one step; a draining target that the balancer has lost stays lost.
func (e *ELB) bringServer(ctx context.Context, want desired, name string, s server, there map[string]balancer.Server) error {
	now, found := there[name]
	switch {
	case s.draining && found && now.Status != balancer.Drain && now.Status != balancer.Maint:
		return want.balancer.Drain(ctx, name)
	case s.draining:
		return nil
	case !found || now.Status == balancer.Maint:
		err := want.balancer.Add(ctx, name, s.at, want.check)
		if err == nil {
			e.note(s.group, name, func(t *target) { t.Stale, t.HealthyOnce, t.CheckedSince = false, false, time.Now().UTC() })
		}
		return err
	case now.Status == balancer.Drain:
		return want.balancer.Resume(ctx, name)
	case now.Status == balancer.Up:
		e.note(s.group, name, func(t *target) { t.HealthyOnce = true })
	}
	return nil
}

// note remembers something of a target that is still there.
func (e *ELB) note(group, name string, change func(*target)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.kept.TargetGroups[group]
	if g == nil || g.Targets[name] == nil {
		return
	}
	before := *g.Targets[name]
	change(g.Targets[name])
	if *g.Targets[name] == before {
		return
	}
	if err := e.save(); err != nil {
		e.log.Error("state not kept", "err", err)
	}
}
