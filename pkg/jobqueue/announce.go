package jobqueue

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"maskfleet/pkg/job"
)

// Stage is a step in the life of a photo that is told in EVENTS.
type Stage string

// The stages.
const (
	StageAccepted     Stage = "accepted"
	StageClaimed      Stage = "claimed"
	StageFinished     Stage = "finished"
	StageFailed       Stage = "failed"
	StageRetrying     Stage = "retrying"
	StageReleased     Stage = "released"
	StageDeadLettered Stage = "dead-lettered"
	StageReopened     Stage = "reopened"  // by a person
	StageCancelled    Stage = "cancelled" // by a person
)

// maxUntold is how many events may wait for a slow broker; more are dropped.
const maxUntold = 1024

// Event is what EVENTS holds of a photo's stage. It is not the truth, the row is.
type Event struct {
	PhotoID job.ID          `json:"photo_id"`
	Stage   Stage           `json:"stage"`
	At      time.Time       `json:"at"`
	Fields  json.RawMessage `json:"fields,omitempty"` // what the teller adds, an object
}

// Announce tells that a photo reached a stage, with fields that become JSON. It
// never waits: an event for which there is no room, or no broker, is dropped.
func (q *Queue) Announce(ctx context.Context, id job.ID, stage Stage, fields any) {
	q.tell(ctx, EventSubject(id, stage), struct {
		PhotoID job.ID    `json:"photo_id"`
		Stage   Stage     `json:"stage"`
		At      time.Time `json:"at"`
		Fields  any       `json:"fields,omitempty"`
	}{id, stage, time.Now().UTC(), fields})
}

// AnnounceAudit tells that somebody did something; record becomes JSON. Like Announce
// it never waits, and the audit log in MySQL is the truth.
func (q *Queue) AnnounceAudit(ctx context.Context, action string, record any) {
	q.tell(ctx, auditSubject(action), record)
}

// FleetEvent is what can befall an instance.
type FleetEvent string

// What befalls instances. The last two are about the pool.
const (
	EventSpotNotice FleetEvent = "spot-notice" // it is about to be taken away
	EventLaunched   FleetEvent = "launched"    // or started, if it had been stopped
	EventReady      FleetEvent = "ready"       // the first sign of life after that
	EventRetiring   FleetEvent = "retiring"
	EventRecalled   FleetEvent = "recalled"
	EventEnded      FleetEvent = "ended" // stopped or terminated
	EventDecision   FleetEvent = "decision"
	EventPolicy     FleetEvent = "policy"
)

// Pool stands for the instance in events about all of them.
const Pool = "pool"

// AnnounceFleet tells that something befell an instance; details become JSON. Like
// Announce it never waits.
func (q *Queue) AnnounceFleet(ctx context.Context, what FleetEvent, instance string, details any) {
	q.tell(ctx, fleetSubject(what, instance), details)
}

func (q *Queue) tell(ctx context.Context, subject string, event any) {
	data, err := json.Marshal(event)
	if err != nil {
		q.log.ErrorContext(ctx, "event cannot be written as JSON", "subject", subject, "err", err)
		return
	}
	if !q.events.tell(untold{subject: subject, data: data}) {
		q.log.DebugContext(ctx, "event dropped", "subject", subject)
	}
}

type untold struct {
	subject string
	data    []byte
}

// announcer publishes events from a goroutine of its own, since even a plain
// publish waits when the broker does not read.
type announcer struct {
	nc       *nats.Conn
	log      *slog.Logger
	queue    chan untold
	stopping chan struct{} // closed by stop
	done     chan struct{} // closed when run has returned
}

func startAnnouncer(nc *nats.Conn, log *slog.Logger) *announcer {
	a := &announcer{
		nc:       nc,
		log:      log,
		queue:    make(chan untold, maxUntold),
		stopping: make(chan struct{}),
		done:     make(chan struct{}),
	}
	go a.run()
	return a
}

// tell says whether there was room.
func (a *announcer) tell(u untold) bool {
	select {
	case a.queue <- u:
		return true
	default:
		return false
	}
}

// run ends after stop, when what was queued before it is told.
func (a *announcer) run() {
	defer close(a.done)
	for {
		select {
		case u := <-a.queue:
			a.publish(u)
		case <-a.stopping:
			for len(a.queue) > 0 {
				a.publish(<-a.queue)
			}
			return
		}
	}
}

func (a *announcer) publish(u untold) {
	if err := a.nc.Publish(u.subject, u.data); err != nil {
		a.log.Debug("event dropped", "subject", u.subject, "err", err)
	}
}

func (a *announcer) stop() {
	close(a.stopping)
	<-a.done
}
