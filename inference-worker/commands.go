package inferenceworker

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/build"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
)

// answerCommands offers the worker's commands until ctx ends. A worker that cannot be
// asked works all the same.
func (w *Worker) answerCommands(ctx context.Context) {
	withdraw, err := w.answers.Offer(command.Service{
		Name: "maskfleet-worker", Does: "Takes photos from the queue and looks at them.", Area: "worker", Member: w.cfg.ID,
		Metadata: map[string]string{"worker_id": w.cfg.ID, "instance": w.machine.ID},
		Stats:    func() any { return w.numbers() },
	}, w.commands()...)
	if err != nil {
		w.log.ErrorContext(ctx, "commands not offered", "err", err)
		return
	}
	<-ctx.Done()
	withdraw()
}

func (w *Worker) commands() []command.Command {
	example := workerStatus{
		workerNumbers: workerNumbers{State: stateDraining, Slots: 4, Busy: 1, Model: "maskfleet 3"},
		Worker:        "local-1", Instance: "local-1", Version: "1f0c3d2", Uptime: command.Duration(90 * time.Minute), Drain: jobqueue.DrainCommand, DrainBy: "ann", DrainWhy: "its disk is full",
		Photos: []photoInHand{{
			ID: uuid.MustParse("0199d3a2-6c1e-7b04-9d57-3f2a8c51e6b0"), Lane: job.LaneBatch, Publication: 1, Attempt: 1,
			For: command.Duration(2 * time.Second), LeaseLeft: command.Duration(88 * time.Second),
		}},
	}
	return []command.Command{
		command.Read("status", "Shows the worker's slots and the photos it has in hand.", struct{}{}, example,
			func(context.Context, struct{}) (workerStatus, error) { return w.status(), nil }),
		command.Read("log", "Shows the last lines of the worker's log, at most 200, without what looks like a secret.", logRequest{Lines: 50},
			logAnswer{Worker: "local-1", Lines: []string{`{"time":"2026-03-01T12:30:00Z","level":"INFO","msg":"worker started","service":"inference-worker","worker_id":"local-1"}`}}, w.showLog),
		command.Change("drain", "Takes no more photos, and the door beside the worker goes out of service; what is in hand finishes. Both stay and can be resumed.", drainRequest{Why: "its disk is full"}, example, w.drainByCommand),
		command.Change("resume", "Takes photos again after a drain, and the door gets traffic again.", struct{}{}, example, w.resumeByCommand),
	}
}

// usualLogLines are those that are shown to whoever does not say.
const usualLogLines = 200

type logRequest struct {
	Lines int `json:"lines,omitempty"` // 200, unless said otherwise
}

type logAnswer struct {
	Worker string   `json:"worker"`
	Lines  []string `json:"lines"` // as they were written, the oldest first
}

func (w *Worker) showLog(_ context.Context, q logRequest) (logAnswer, error) {
	if q.Lines < 0 {
		return logAnswer{}, command.InvalidField("lines", "is below 0")
	}
	return logAnswer{Worker: w.cfg.ID, Lines: w.tail(cmp.Or(q.Lines, usualLogLines))}, nil
}

// workerState is what a worker does, in a word.
type workerState string

const (
	stateIdle     workerState = "idle"
	stateWorking  workerState = "working"
	stateWaiting  workerState = "waiting"  // for a store that is away
	stateDraining workerState = "draining" // takes nothing, and still has photos in hand
	stateDrained  workerState = "drained"  // takes nothing, and has nothing in hand
	stateStopping workerState = "stopping" // the process ends
)

// workerNumbers are shown by `nats micro stats`, too.
type workerNumbers struct {
	State workerState `json:"state"`
	Slots int         `json:"slots"`
	Busy  int         `json:"busy"`
	Model string      `json:"model"` // empty until a slot has started
}

type workerStatus struct {
	workerNumbers
	Worker   string           `json:"worker"`
	Instance string           `json:"instance"`
	Zone     string           `json:"zone,omitempty"`
	Version  string           `json:"version"`
	Uptime   command.Duration `json:"uptime"`
	Drain    jobqueue.Drain   `json:"drain,omitempty"` // why it takes nothing
	DrainBy  string           `json:"drain_by,omitempty"`
	DrainWhy string           `json:"drain_why,omitempty"`
	Photos   []photoInHand    `json:"photos"` // the longest in hand first

	SpotNotice *jobqueue.SpotNotice `json:"spot_notice,omitempty"`
}

type photoInHand struct {
	ID          job.ID           `json:"id"`
	Lane        job.Lane         `json:"lane"`
	Publication int              `json:"publication"`
	Attempt     int              `json:"attempt,omitempty"` // 0 before its claim
	For         command.Duration `json:"for"`
	LeaseLeft   command.Duration `json:"lease_left,omitzero"` // none before its claim
}

func (w *Worker) numbers() workerNumbers {
	model := w.pool.Model()
	n := workerNumbers{Slots: w.pool.Size()}
	if model != (job.Model{}) {
		n.Model = model.Name + " " + model.Version
	}
	w.mu.Lock()
	n.Busy = len(w.inHand)
	stopping := w.stopping
	w.mu.Unlock()
	switch closed := w.gate.isClosed(); {
	case stopping:
		n.State = stateStopping
	case closed && n.Busy > 0:
		n.State = stateDraining
	case closed:
		n.State = stateDrained
	case w.outage.isAway():
		n.State = stateWaiting
	case n.Busy > 0:
		n.State = stateWorking
	default:
		n.State = stateIdle
	}
	return n
}

func (w *Worker) status() workerStatus {
	now := time.Now()
	s := workerStatus{
		workerNumbers: w.numbers(), Worker: w.cfg.ID, Instance: w.machine.ID, Zone: w.machine.Zone, Version: build.Revision(),
		Uptime: seconds(now.Sub(w.startedAt)), Photos: []photoInHand{},
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.Drain, s.DrainBy, s.DrainWhy, s.SpotNotice = w.why(), w.drained.by, w.drained.why, w.notice
	for id, h := range w.inHand {
		p := photoInHand{ID: id, Lane: h.lane, Publication: h.publication, Attempt: h.attempt, For: seconds(now.Sub(h.since))}
		if !h.claimed.IsZero() {
			p.LeaseLeft = seconds(w.cfg.lease() - now.Sub(h.claimed))
		}
		s.Photos = append(s.Photos, p)
	}
	slices.SortFunc(s.Photos, func(a, b photoInHand) int { return cmp.Compare(b.For, a.For) })
	return s
}

// seconds leaves out what nobody reads.
func seconds(d time.Duration) command.Duration {
	return command.Duration(d.Round(100 * time.Millisecond))
}

// longestWhy is of a reason that every heartbeat carries, in bytes.
const longestWhy = 1000

// drainRequest says, for others who look at the worker, why.
type drainRequest struct {
	Why string `json:"why,omitempty"`
}

func (w *Worker) drainByCommand(ctx context.Context, call command.Call, q drainRequest) (workerStatus, error) {
	if len(q.Why) > longestWhy {
		return workerStatus{}, command.InvalidField("why", "is longer than 1000 bytes")
	}
	if !call.DryRun && w.shut(drained{jobqueue.DrainCommand, call.By.Name, q.Why}) {
		w.log.InfoContext(ctx, "drained by command", "actor", call.By.Name, "num_in_hand", w.numbers().Busy)
	}
	return w.status(), nil
}

// resumeByCommand refuses while the process ends: nobody could keep it from that.
func (w *Worker) resumeByCommand(ctx context.Context, call command.Call, _ struct{}) (workerStatus, error) {
	if w.numbers().State == stateStopping {
		return workerStatus{}, problem.New(http.StatusConflict, problem.CodeConflict, "The worker's process is ending.")
	}
	if !call.DryRun && w.reopen() {
		w.log.InfoContext(ctx, "resumed by command", "actor", call.By.Name)
	}
	return w.status(), nil
}
