package ec2

import (
	"cmp"
	"context"
	"slices"
	"time"

	"maskfleet/deployments/local/aws/host"
)

// mostAtOnce is how many instances one call may ask for; as many may run at all, which
// is far beyond what one machine carries.
const mostAtOnce = 1000

// longestToken is that of EC2.
const longestToken = 64

type runRequest struct {
	launch
	SubnetID       string `wire:"SubnetId"`
	MinCount       int
	MaxCount       int
	ClientToken    string
	DryRun         bool
	LaunchTemplate *templateReference
}

// launched is what a client token stands for.
type launched struct {
	Fingerprint string
	Reservation string
	At          time.Time
}

// tokenLife is how long EC2 knows a client token at least.
const tokenLife = 24 * time.Hour

type runResponse struct {
	ReservationID string             `wire:"reservationId"`
	OwnerID       string             `wire:"ownerId"`
	Groups        []groupDescription `wire:"groupSet"`
	Instances     []description      `wire:"instancesSet"`
}

func (e *EC2) runInstances(ctx context.Context, in runRequest) (runResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	asked := fingerprint(in)
	reservation, repeated, err := e.repeated(in.ClientToken, asked)
	if err != nil {
		return runResponse{}, err
	}
	if repeated {
		return e.reservation(reservation), nil
	}
	if err := e.fillIn(&in); err != nil {
		return runResponse{}, err
	}
	zone, count, err := e.place(in)
	if err != nil {
		return runResponse{}, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return runResponse{}, err
	}
	return e.launch(ctx, in, zone, count, asked)
}

// repeated finds what a client token has launched before.
func (e *EC2) repeated(token, asked string) (reservation string, repeated bool, err error) {
	if len(token) > longestToken {
		return "", false, fail(invalidParameterValue, "The client token is longer than %d characters.", longestToken)
	}
	before, known := e.kept.Launches[token]
	if token == "" || !known {
		return "", false, nil
	}
	if before.Fingerprint != asked {
		return "", false, fail(idempotentMismatch, "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
	}
	for _, i := range e.kept.Instances {
		if i.Reservation == before.Reservation && !i.isOneOf(terminated) {
			return before.Reservation, true, nil
		}
	}
	return "", false, fail(idempotentTerminated, "The instance of this client token has been terminated.")
}

// fillIn takes the template into the request and checks the whole.
func (e *EC2) fillIn(in *runRequest) error {
	if in.LaunchTemplate != nil {
		version, err := e.templateVersion(*in.LaunchTemplate)
		if err != nil {
			return err
		}
		in.launch = in.over(version.Data)
	}
	in.InstanceType = cmp.Or(in.InstanceType, instanceTypes()[0].name)
	if in.SubnetID != "" && len(in.NetworkInterfaces) > 0 {
		return fail(invalidCombination, "Network interfaces and an instance-level subnet ID may not be specified on the same request")
	}
	if len(in.SecurityGroupIDs)+len(in.SecurityGroups) > 0 && len(in.NetworkInterfaces) > 0 {
		return fail(invalidCombination, "Network interfaces and an instance-level security groups may not be specified on the same request")
	}
	in.SubnetID = cmp.Or(in.SubnetID, in.subnet())
	switch {
	case in.MinCount == 0 || in.MaxCount == 0:
		return fail(missingParameter, "The request must contain the parameters MinCount and MaxCount")
	case in.MinCount < 0 || in.MaxCount < in.MinCount:
		return fail(invalidParameterValue, "Value (%d) for parameter maxCount is invalid. It must not be less than minCount (%d).", in.MaxCount, in.MinCount)
	case in.MinCount+e.alive() > mostAtOnce:
		return fail(instanceLimitExceeded, "You have requested more instances (%d) than your current instance limit of %d allows.", in.MinCount+e.alive(), mostAtOnce)
	}
	return e.check(in.launch)
}

func (e *EC2) alive() int {
	count := 0
	for _, i := range e.kept.Instances {
		if !i.isOneOf(terminated, stopped) {
			count++
		}
	}
	return count
}

// place finds a zone with room for at least the fewest that are wanted. Who names no
// zone gets the one with most room, and among equals the emptiest.
func (e *EC2) place(in runRequest) (zone, int, error) {
	allowed, err := e.allowedZones(in)
	if err != nil {
		return zone{}, 0, err
	}
	best, most := zone{}, 0
	slices.SortStableFunc(allowed, func(a, b zone) int { return cmp.Compare(e.inZone(a.name), e.inZone(b.name)) })
	for _, z := range allowed {
		room := min(in.MaxCount, mostAtOnce-e.alive())
		if left, bounded := e.troubles.Capacity(z.name, in.InstanceType); bounded {
			room = min(room, left)
		}
		if room > most {
			best, most = z, room
		}
	}
	if most < in.MinCount {
		return zone{}, 0, fail(insufficientCapacity,
			"We currently do not have sufficient %s capacity in the Availability Zone you requested (%s). Our system will be working on provisioning additional capacity.",
			in.InstanceType, allowed[0].name)
	}
	return best, most, nil
}

func (e *EC2) inZone(name string) int {
	count := 0
	for _, i := range e.kept.Instances {
		if i.Zone == name && i.holdsAddress() {
			count++
		}
	}
	return count
}

func (e *EC2) allowedZones(in runRequest) ([]zone, error) {
	named := ""
	if in.Placement != nil {
		named = in.Placement.AvailabilityZone
	}
	if in.SubnetID != "" {
		z, known := e.zoneOfSubnet(in.SubnetID)
		if !known {
			return nil, fail(invalidSubnetNotFound, "The subnet ID '%s' does not exist", in.SubnetID)
		}
		if named != "" && named != z.name {
			return nil, fail(invalidParameterValue, "Value (%s) for parameter availabilityZone is invalid. Subnet '%s' is in the availability zone %s", named, in.SubnetID, z.name)
		}
		return []zone{z}, nil
	}
	if named == "" {
		return slices.Clone(e.zones), nil
	}
	z, known := e.zone(named)
	if !known {
		return nil, fail(invalidParameterValue, "Invalid availability zone: [%s]", named)
	}
	return []zone{z}, nil
}

// launch remembers the instances, then lets them start.
func (e *EC2) launch(ctx context.Context, in runRequest, z zone, count int, asked string) (runResponse, error) {
	reservation, now := newID("r"), time.Now().UTC()
	var fresh []*instance
	for n := range count {
		address, free := e.freeAddress(z)
		if !free {
			break
		}
		i := &instance{
			ID: newID("i"), Reservation: reservation, Launch: in.launch, LaunchIndex: n,
			Zone: z.name, Address: address, LaunchedAt: now.Truncate(time.Second),
			Tags: tagsFor("instance", in.TagSpecifications), Protected: isTrue(in.Protected), Trouble: e.troubles.Boot(),
			ClientToken: in.ClientToken,
		}
		if unseen := e.troubles.Unseen(); unseen > 0 {
			i.UnseenUntil = now.Add(unseen)
		}
		if in.spot() {
			i.SpotRequest = newID("sir")[:len("sir-00000000")]
		}
		i.become(pending, nil)
		e.kept.Instances[i.ID] = i
		fresh = append(fresh, i)
	}
	if in.ClientToken != "" {
		e.kept.Launches[in.ClientToken] = launched{Fingerprint: asked, Reservation: reservation, At: now}
	}
	if err := e.save(); err != nil {
		return runResponse{}, err
	}
	e.troubles.Took(z.name, in.InstanceType, len(fresh))
	for _, i := range fresh {
		e.log.InfoContext(ctx, "instance launched", "instance_id", i.ID, "zone", i.Zone, "type", i.Launch.InstanceType)
		e.drive(i.ID)
	}
	return e.reservation(reservation), nil
}

// reservation is the answer to a launch, and to its repetition.
func (e *EC2) reservation(id string) runResponse {
	out := runResponse{ReservationID: id, OwnerID: e.config.AccountID, Groups: []groupDescription{}}
	for _, i := range e.kept.Instances {
		if i.Reservation == id {
			out.Instances = append(out.Instances, e.describe(*i))
		}
	}
	slices.SortFunc(out.Instances, func(a, b description) int { return cmp.Compare(a.LaunchIndex, b.LaunchIndex) })
	return out
}

// spec is what the host is told to run.
func (e *EC2) spec(i instance) (host.Spec, error) {
	image, err := e.image(i.Launch.ImageID)
	if err != nil {
		return host.Spec{}, errNoImage
	}
	kind, _ := findType(i.Launch.InstanceType)
	return host.Spec{
		ID: i.ID, Address: i.Address, BootDelay: e.config.Timing.Boot, Programs: image.Programs,
		Cores: kind.cores, Trouble: i.Trouble, Metadata: e.metadata(i),
	}, nil
}
