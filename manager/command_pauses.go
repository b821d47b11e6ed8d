package manager

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
)

func (s *Service) pauseCommands() []command.Command {
	until := exampleMoment()
	pause := pauseTime{For: command.Duration(30 * time.Minute)}
	return []command.Command{
		command.Change("lanes.pause", "Gives out no photo of a lane for a while; work in hand goes on, and what is accepted waits.",
			lanePauseRequest{Lane: job.LaneBatch, pauseTime: pause}, laneAnswer{Lane: job.LaneBatch, PausedUntil: until, Pending: 12}, s.pauseLane),
		command.Change("lanes.resume", "Ends the pause of a lane.",
			laneRequest{Lane: job.LaneBatch}, laneAnswer{Lane: job.LaneBatch, Pending: 12, WasPaused: true}, s.resumeLane),
		command.Change("intake.pause", "Has all front doors refuse photos for a while, within a second.",
			intakePauseRequest{pauseTime: pause, Reason: "the store moves"}, intakeAnswer{PausedUntil: until}, s.pauseIntake),
		command.Change("intake.resume", "Has the front doors take photos again.",
			struct{}{}, intakeAnswer{WasPaused: true}, s.resumeIntake),
	}
}

// pauseTime says how long, or until when: one of the two.
type pauseTime struct {
	For   command.Duration `json:"for,omitzero"`
	Until time.Time        `json:"until,omitzero"`
}

// until is the end of a pause that begins now; none is endless, because it would be
// forgotten.
func (p pauseTime) until(now time.Time) (time.Time, error) {
	until := p.Until
	if until.IsZero() {
		until = now.Add(time.Duration(p.For))
	}
	switch {
	case (p.For == 0) == p.Until.IsZero():
		return time.Time{}, command.Invalid(`Say either "for" how long, such as "30m", or "until" when.`)
	case !until.After(now):
		return time.Time{}, command.Invalid("The pause would be over already.")
	case until.After(now.Add(longestPause)):
		return time.Time{}, command.Invalid(fmt.Sprintf("A pause is at most %d days long.", int(longestPause.Hours()/24)))
	}
	return until.UTC().Truncate(time.Millisecond), nil
}

type lanePauseRequest struct {
	Lane job.Lane `json:"lane"`
	pauseTime
	Reason string `json:"reason,omitempty"` // for other operators
}

// Concerns is the lane.
func (q lanePauseRequest) Concerns() string { return string(q.Lane) }

type laneRequest struct {
	Lane job.Lane `json:"lane"`
}

// Concerns is the lane.
func (q laneRequest) Concerns() string { return string(q.Lane) }

type laneAnswer struct {
	Lane        job.Lane  `json:"lane"`
	PausedUntil time.Time `json:"paused_until,omitzero"`
	WasPaused   bool      `json:"was_paused"`
	Pending     int       `json:"pending"`   // waits on the broker
	InFlight    int       `json:"in_flight"` // is in hand, and goes on
}

func (s *Service) pauseLane(ctx context.Context, call command.Call, q lanePauseRequest) (laneAnswer, error) {
	answer, err := s.lane(ctx, q.Lane)
	if err != nil {
		return laneAnswer{}, err
	}
	if answer.PausedUntil, err = q.until(time.Now()); err != nil || call.DryRun {
		return answer, err
	}
	note := jobqueue.LanePause{Until: answer.PausedUntil, By: call.By.Name, Reason: q.Reason}
	if err := s.queue.NotePause(ctx, q.Lane, note); err != nil {
		return laneAnswer{}, err
	}
	return answer, s.queue.PauseLane(ctx, q.Lane, answer.PausedUntil)
}

func (s *Service) resumeLane(ctx context.Context, call command.Call, q laneRequest) (laneAnswer, error) {
	answer, err := s.lane(ctx, q.Lane)
	if err != nil || call.DryRun || !answer.WasPaused {
		return answer, err
	}
	return answer, s.queue.ResumeLane(ctx, q.Lane)
}

func (s *Service) lane(ctx context.Context, lane job.Lane) (laneAnswer, error) {
	if lane == "" {
		return laneAnswer{}, problem.New(http.StatusBadRequest, problem.CodeMissingField, "Say which lane.").WithField("lane", "is missing")
	}
	if err := oneOf("lane", lane, job.Lanes()); err != nil {
		return laneAnswer{}, err
	}
	depths, err := s.queue.Depth(ctx)
	d := depths[lane]
	return laneAnswer{Lane: lane, WasPaused: d.Paused > 0, Pending: d.Pending, InFlight: d.InFlight}, err
}

type intakePauseRequest struct {
	pauseTime
	Reason string `json:"reason,omitempty"` // for other operators
}

type intakeAnswer struct {
	PausedUntil time.Time `json:"paused_until,omitzero"`
	WasPaused   bool      `json:"was_paused"`
}

func (s *Service) pauseIntake(ctx context.Context, call command.Call, q intakePauseRequest) (intakeAnswer, error) {
	now := time.Now()
	until, err := q.until(now)
	if err != nil {
		return intakeAnswer{}, err
	}
	// A value that somebody typed wrongly is no pause, and is written over.
	before, _ := s.queue.Intake(ctx)
	answer := intakeAnswer{PausedUntil: until, WasPaused: before.Paused(now)}
	if call.DryRun {
		return answer, nil
	}
	return answer, s.queue.SetIntake(ctx, jobqueue.Intake{PausedUntil: until, Reason: q.Reason, By: call.By.Name})
}

func (s *Service) resumeIntake(ctx context.Context, call command.Call, _ struct{}) (intakeAnswer, error) {
	before, _ := s.queue.Intake(ctx) // as above
	answer := intakeAnswer{WasPaused: before.Paused(time.Now())}
	if call.DryRun {
		return answer, nil
	}
	return answer, s.queue.SetIntake(ctx, jobqueue.Intake{})
}
