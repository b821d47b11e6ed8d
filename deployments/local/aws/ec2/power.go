package ec2

import (
	"context"
	"strings"
	"sync"
	"time"

	"maskfleet/deployments/local/aws/host"
)

// hostPause is how long to wait for a host that is away.
const hostPause = 200 * time.Millisecond

// drive brings an instance out of a passing state. It is called with mu held.
func (e *EC2) drive(id string) {
	e.drives.Go(func() {
		for e.ctx.Err() == nil {
			done, err := e.step(id)
			if err != nil {
				e.log.WarnContext(e.ctx, "instance not switched", "instance_id", id, "err", err)
			}
			if done {
				return
			}
			if err != nil {
				e.pause(hostPause)
			}
		}
	})
}

// pause is false if it was cut short because the drives end.
func (e *EC2) pause(d time.Duration) bool {
	select {
	case <-e.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// step does what the instance's state asks for; done means that nothing is left to do
// for this drive. An instance that is told to end while it starts is ended by the
// drive of its end.
func (e *EC2) step(id string) (done bool, err error) {
	i, known := e.copy(id)
	switch {
	case !known:
		return true, nil
	case i.State == pending:
		if e.pause(time.Until(i.Since.Add(e.config.Timing.Pending))) {
			e.move(id, pending, running)
		}
		return false, nil
	case i.State == running:
		return e.switchOn(id)
	case i.isOneOf(shuttingDown, stopping):
		return e.switchOff(id)
	default:
		return true, nil
	}
}

func (e *EC2) copy(id string) (instance, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := e.kept.Instances[id]
	if i == nil {
		return instance{}, false
	}
	return *i, true
}

// move changes the state if it still is what it was.
func (e *EC2) move(id string, from, to state) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := e.kept.Instances[id]
	if i == nil || i.State != from {
		return
	}
	i.become(to, nil)
	if err := e.save(); err != nil {
		e.log.ErrorContext(e.ctx, "state not kept", "instance_id", id, "err", err)
	}
	e.log.InfoContext(e.ctx, "instance changed", "instance_id", id, "from", string(from), "to", string(to))
}

// power lets one at a time switch an instance, so that a start never comes after the
// end that overtook it.
func (e *EC2) power(id string) *sync.Mutex {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.powers[id] == nil {
		e.powers[id] = &sync.Mutex{}
	}
	return e.powers[id]
}

func (e *EC2) switchOn(id string) (done bool, err error) {
	power := e.power(id)
	power.Lock()
	defer power.Unlock()
	i, known := e.copy(id)
	if !known || i.State != running {
		return !known, nil
	}
	spec, err := e.spec(i)
	if err != nil {
		return true, err
	}
	if err := e.machines.Boot(e.ctx, spec); err != nil {
		return false, err
	}
	return true, nil
}

func (e *EC2) switchOff(id string) (done bool, err error) {
	power := e.power(id)
	power.Lock()
	defer power.Unlock()
	i, known := e.copy(id)
	if !known || !i.isOneOf(shuttingDown, stopping) {
		return true, nil
	}
	if err := e.machines.ShutDown(e.ctx, id, e.config.Timing.Shutdown); err != nil {
		return false, err
	}
	if i.State == stopping {
		e.move(id, stopping, stopped)
	}
	e.move(id, shuttingDown, terminated) // it may have become that meanwhile
	return false, nil
}

// resume goes on with what a killed stand-in had begun.
func (e *EC2) resume() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, i := range e.kept.Instances {
		if i.State.passing() || i.State == running {
			e.drive(id)
		}
	}
}

// reconcile compares what should run with what does: an instance that its host lost is
// started again under its name, as EC2's automatic recovery does; a machine that no
// instance stands for is ended; what a spot notice announced is done; the terminated
// are forgotten.
func (e *EC2) reconcile(ctx context.Context) error {
	statuses, err := e.machines.Machines(ctx)
	if err != nil {
		return err
	}
	on := make(map[string]host.Status)
	for _, status := range statuses {
		on[status.ID] = status
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.watched = on
	for id, i := range e.kept.Instances {
		if _, found := on[id]; i.State == running && !found {
			e.drive(id)
		}
	}
	for id := range on {
		if i := e.kept.Instances[id]; i == nil || i.isOneOf(stopped, terminated) {
			e.log.WarnContext(ctx, "machine without an instance ended", "instance_id", id)
			e.drives.Go(func() { _ = e.machines.ShutDown(e.ctx, id, 0) }) // the next look tells
		}
	}
	return e.tidy(time.Now())
}

// tidy forgets what AWS would, too. It is called with mu held.
func (e *EC2) tidy(now time.Time) error {
	changed := false
	for id, i := range e.kept.Instances {
		switch {
		case i.State == terminated && now.After(i.Since.Add(e.config.Timing.Forgotten)):
			delete(e.kept.Instances, id)
			delete(e.powers, id)
			changed = true
		case i.Spot != nil && i.State == running && now.After(i.Spot.Time):
			e.interrupt(i)
			changed = true
		}
	}
	for token, l := range e.kept.Launches {
		if now.Sub(l.At) > tokenLife {
			delete(e.kept.Launches, token)
			changed = true
		}
	}
	if !changed {
		return nil
	}
	return e.save()
}

// interrupt does what the spot notice said.
func (e *EC2) interrupt(i *instance) {
	why := bySpot()
	next := shuttingDown
	if i.Spot.Action == "stop" {
		next = stopping
	}
	i.Spot = nil
	i.become(next, &why)
	e.drive(i.ID)
}

// metadata is what an instance reads of itself.
func (e *EC2) metadata(i instance) host.Metadata {
	data, _ := i.Launch.decodedUserData() // checked at the launch
	z, _ := e.zone(i.Zone)
	m := host.Metadata{
		InstanceID: i.ID, InstanceType: i.Launch.InstanceType, ImageID: i.Launch.ImageID,
		LocalIPv4: i.Address.String(), Hostname: e.hostname(i), Region: e.config.Region, Zone: i.Zone, ZoneID: z.id,
		AccountID: e.config.AccountID, LifeCycle: "on-demand", LaunchedAt: i.LaunchedAt, UserData: data, Spot: i.Spot,
	}
	if i.Launch.spot() {
		m.LifeCycle = "spot"
	}
	options := e.metadataOptions(i)
	m.TokensRequired, m.Disabled = options.HTTPTokens == "required", options.HTTPEndpoint == "disabled"
	if options.InstanceMetadataTags == "enabled" {
		m.Tags = i.Tags
	}
	if p := i.Launch.IAMInstanceProfile; p != nil {
		if role, err := e.role(*p); err == nil {
			m.Role = &role
		}
	}
	return m
}

func (e *EC2) hostname(i instance) string {
	return "ip-" + strings.ReplaceAll(i.Address.String(), ".", "-") + "." + e.config.Region + ".compute.internal"
}

// tell passes on what has changed of an instance; it is called without mu. A boot that
// is on its way takes the change along or is told after it.
func (e *EC2) tell(ctx context.Context, id string) error {
	if i, known := e.copy(id); !known || i.State != running {
		return nil // an end would be waited for
	}
	power := e.power(id)
	power.Lock()
	defer power.Unlock()
	i, known := e.copy(id)
	if !known || i.State != running {
		return nil
	}
	return e.machines.Tell(ctx, e.metadata(i))
}

// SpotNotice announces to a spot instance that it will be taken away.
func (e *EC2) SpotNotice(ctx context.Context, id, action string, after time.Duration) error {
	if err := e.notice(id, action, after); err != nil {
		return err
	}
	return e.tell(ctx, id)
}

func (e *EC2) notice(id, action string, after time.Duration) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, err := e.instance(id)
	if err != nil {
		return err
	}
	switch {
	case action != "terminate" && action != "stop":
		return fail(invalidParameterValue, "A spot notice says terminate or stop, not %q.", action)
	case !i.Launch.spot():
		return fail(unsupported, "The instance %s is not a spot instance.", id)
	case i.State != running:
		return fail(incorrectInstanceState, "The instance %s is %s.", id, i.State)
	}
	i.Spot = &host.SpotAction{Action: action, Time: time.Now().Add(after).UTC().Truncate(time.Second)}
	return e.save()
}
