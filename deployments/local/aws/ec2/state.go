package ec2

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"maskfleet/deployments/local/aws/host"
)

// state of an instance, as EC2 names it.
type state string

const (
	pending      state = "pending"
	running      state = "running"
	shuttingDown state = "shutting-down"
	terminated   state = "terminated"
	stopping     state = "stopping"
	stopped      state = "stopped"
)

// number is how EC2 says the state in figures.
func (s state) number() int {
	switch s {
	case pending:
		return 0
	case running:
		return 16
	case shuttingDown:
		return 32
	case terminated:
		return 48
	case stopping:
		return 64
	default:
		return 80
	}
}

// passing is a state that ends by itself.
func (s state) passing() bool { return s == pending || s == shuttingDown || s == stopping }

// reason says why an instance is in its state.
type reason struct {
	Code    string `wire:"code"`
	Message string `wire:"message"`
}

// The reasons.
func byUser() reason {
	return reason{"Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"}
}

func byHost() reason {
	return reason{"Server.InternalError", "Server.InternalError: The hardware under the instance was lost"}
}

func bySpot() reason {
	return reason{"Server.SpotInstanceTermination", "Server.SpotInstanceTermination: Spot instance termination"}
}

// instance is what the API remembers of one. Its fields are kept.
type instance struct {
	ID          string
	Reservation string
	Launch      launch // as it was asked for, templates filled in
	LaunchIndex int
	ClientToken string
	Zone        string
	Address     netip.Addr
	State       state
	Since       time.Time // in its state
	LaunchedAt  time.Time // last start
	Reason      *reason   // nil: none
	Transition  string    // the same in words
	Tags        map[string]string
	Protected   bool
	UnseenUntil time.Time // answers do not know it before; zero: they do
	SpotRequest string    // empty: on demand
	Spot        *host.SpotAction
	Trouble     host.Trouble
}

// become changes the state; why is nil where nobody asked for it.
func (i *instance) become(s state, why *reason) {
	i.State, i.Since = s, time.Now().UTC()
	if s == pending || s == running {
		i.Reason, i.Transition = why, ""
	}
	if why != nil {
		i.Reason = why
		if *why == byUser() {
			i.Transition = fmt.Sprintf("User initiated (%s GMT)", i.Since.Format(time.DateTime))
		}
	}
}

func (i *instance) isOneOf(states ...state) bool { return slices.Contains(states, i.State) }

// holdsAddress until it is terminated, stopped ones too.
func (i *instance) holdsAddress() bool { return i.State != terminated }

func (i *instance) seen(now time.Time) bool { return !now.Before(i.UnseenUntil) }
