package fleet

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// The tags of an instance, set by the call that launches it.
const (
	tagPool    = "maskfleet:pool"
	tagIntent  = "maskfleet:intent"
	tagVersion = "maskfleet:version"
	tagName    = "Name"
)

// State is what EC2 says an instance is doing.
type State string

// The states. Those of instances that have ended are never given to a caller.
const (
	StatePending      State = "pending"
	StateRunning      State = "running"
	StateStopping     State = "stopping"
	StateStopped      State = "stopped"
	stateShuttingDown State = "shutting-down"
	stateTerminated   State = "terminated"
)

// Health is whether an instance does its work, as far as its signs of life tell.
type Health string

// The healths of instances that are pending or running.
const (
	HealthUnknown  Health = ""         // nobody said who is alive
	HealthBooting  Health = "booting"  // no sign of life yet, and still within its time
	HealthOverdue  Health = "overdue"  // none within the time for a boot: it failed
	HealthReady    Health = "ready"    // alive
	HealthDangling Health = "dangling" // it runs, and its worker does not
)

// Instance is one machine of the pool.
type Instance struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Zone     string `json:"zone"`
	Address  string `json:"address"`  // private
	Version  string `json:"version"`  // of what it was made from
	Outdated bool   `json:"outdated"` // by Version it is not what is launched now
	Spot     bool   `json:"spot"`     // AWS may take it away
	State    State  `json:"state"`
	// Shown is false while EC2's list does not have it; it counts all the same.
	Shown      bool      `json:"shown"`
	LaunchedAt time.Time `json:"launched_at"` // or started, if it had been stopped
	Health     Health    `json:"health"`
	Target     Target    `json:"target"`

	// For people who look, once EC2 shows the instance.
	Image         string            `json:"image,omitempty"`
	KeyPair       string            `json:"key_pair,omitempty"`
	PublicAddress string            `json:"public_address,omitempty"`
	Tags          map[string]string `json:"tags,omitempty"`
}

// Up says whether the instance runs or will.
func (i Instance) Up() bool { return i.State == StatePending || i.State == StateRunning }

func (i Instance) ended() bool { return i.State == stateTerminated || i.State == stateShuttingDown }

func readInstance(from types.Instance) Instance {
	i := Instance{
		ID: aws.ToString(from.InstanceId), Type: string(from.InstanceType), Address: aws.ToString(from.PrivateIpAddress),
		Spot: from.InstanceLifecycle == types.InstanceLifecycleTypeSpot, Shown: true, LaunchedAt: aws.ToTime(from.LaunchTime).UTC(),
		Image: aws.ToString(from.ImageId), KeyPair: aws.ToString(from.KeyName), PublicAddress: aws.ToString(from.PublicIpAddress),
		Tags: make(map[string]string, len(from.Tags)),
	}
	if from.Placement != nil {
		i.Zone = aws.ToString(from.Placement.AvailabilityZone)
	}
	if from.State != nil {
		i.State = State(from.State.Name)
	}
	for _, tag := range from.Tags {
		i.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	i.Version = i.Tags[tagVersion]
	return i
}
