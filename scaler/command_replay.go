package scaler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
	"maskfleet/scaler/decide"
	"maskfleet/scaler/simulate"
)

const (
	longestReplay = 24 * time.Hour  // readings are kept so long
	replayTimeout = 2 * time.Minute // a day takes some seconds of one core for each policy
	sampled       = 20_000          // photos whose times are looked at
	mostReplayed  = 5_000_000       // photos: each takes some thirty bytes here
)

type replayRequest struct {
	// Policy is the whole document of a candidate; empty: only the one in force.
	Policy json.RawMessage  `json:"policy,omitempty"`
	For    command.Duration `json:"for,omitzero"` // the last so long; a day, unless said otherwise
}

// played is what a policy would have come to, or what did happen.
type played struct {
	simulate.Replayed
	LateAfter float64 `json:"late_after_seconds"` // the target in force, whoever is measured
}

type replayAnswer struct {
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Candidate *played   `json:"candidate,omitempty"`
	InForce   played    `json:"in_force"`
	Happened  played    `json:"happened"`
	Says      string    `json:"says"`
	Notes     []string  `json:"notes,omitempty"`
}

func (l *leader) replayCommands() []command.Command {
	came := func(hours, late float64, launches int) played {
		return played{simulate.Replayed{InstanceHours: hours, LateShare: late, Photos: 61204, LongestWait: 41, Launches: launches, Peak: 6, Course: simulate.Course{StepSeconds: 600, Instances: []int{2, 6, 3}, Waiting: []int{0, 310, 0}}}, 10}
	}
	candidate, to := came(31.2, 0.004, 40), exampleMoment()
	return []command.Command{
		command.Read("replay", "Plays the last day of this installation again, as a candidate and the policy in force would have sized the fleet.",
			replayRequest{Policy: json.RawMessage(`{"format":1,"policy":"target-wait","max":12,"slots_per_instance":2}`), For: command.Duration(longestReplay)},
			replayAnswer{From: to.Add(-longestReplay), To: to, Candidate: &candidate, InForce: came(29.8, 0.011, 38), Happened: came(30.5, 0.013, 41), Says: candidate.String()},
			l.replay).Within(replayTimeout),
	}
}

// replay plays one policy after the other, so that the ticks keep a core.
func (l *leader) replay(ctx context.Context, q replayRequest) (replayAnswer, error) {
	window := time.Duration(q.For)
	if window == 0 {
		window = longestReplay
	}
	if window < 0 || window > longestReplay {
		return replayAnswer{}, command.InvalidField("for", "is not above zero and at most 24h, which is how long readings are kept")
	}
	inForce, err := l.policyInForce(ctx)
	if err != nil {
		return replayAnswer{}, err
	}
	var candidate *decide.Policy
	if len(q.Policy) > 0 {
		p, err := decide.ReadPolicy(q.Policy)
		if err != nil {
			return replayAnswer{}, cannotBeFollowed(err)
		}
		candidate = &p
	}
	t, err := l.tape(ctx, window, inForce.Wait.TargetSeconds)
	if err != nil {
		return replayAnswer{}, err
	}
	answer := replayAnswer{From: t.From, To: t.to}
	if t.missing > 0 {
		answer.Notes = append(answer.Notes, fmt.Sprintf("readings are missing for %s: what came then is spread evenly", t.missing.Round(time.Second)))
	}
	answer.Happened = played{simulate.Replayed{
		InstanceHours: t.cost.Hours(), LateShare: float64(t.waits.Late) / float64(max(1, t.waits.Photos)), Photos: t.photos,
		LongestWait: t.waits.Longest.Seconds(), Launches: t.began, Peak: t.peak, Course: t.course,
	}, inForce.Wait.TargetSeconds}
	if answer.InForce, err = play(ctx, t, inForce); err != nil {
		return replayAnswer{}, err
	}
	answer.Says = answer.InForce.String()
	if candidate != nil {
		came, err := play(ctx, t, *candidate)
		if err != nil {
			return replayAnswer{}, err
		}
		answer.Candidate, answer.Says = &came, came.String()
	}
	return answer, nil
}

// tape is what was measured of the last time, in which late is the wait that is too long.
func (l *leader) tape(ctx context.Context, window time.Duration, late float64) (tape, error) {
	readings, err := l.doors.Queue.FleetReadings(ctx, window)
	if err != nil {
		return tape{}, err
	}
	t := record(readings)
	t.LateAfter = late
	switch {
	case len(t.Accepted) == 0:
		return tape{}, nothingToReplay("there are no two readings of the fleet in that time")
	case t.photos == 0:
		return tape{}, nothingToReplay("no photo was accepted in that time")
	case t.photos > mostReplayed:
		return tape{}, command.InvalidField("for", fmt.Sprintf("is too long: %d photos came, at most %d can be played", t.photos, mostReplayed))
	}
	// Each boot is better than what nine of ten did not exceed, if this scaler knows.
	if boots := l.senses.bootsOfLate(); len(boots) > 0 {
		t.Boots = boots
	}
	if t.waits, err = l.doors.Store.MeasureWaits(ctx, t.From, t.to, time.Duration(late*float64(time.Second))); err != nil {
		return tape{}, err
	}
	t.Services, err = l.doors.Store.SampleServices(ctx, t.From, t.to, t.waits.Photos/sampled)
	return t, err
}

func play(ctx context.Context, t tape, p decide.Policy) (played, error) {
	if err := ctx.Err(); err != nil {
		return played{}, err
	}
	came, err := simulate.Replay(t.Recording, p)
	if errors.Is(err, simulate.ErrNoDay) {
		return played{}, nothingToReplay("no photo that came in that time has its result yet").WithCause(err)
	}
	return played{came, t.LateAfter}, err
}

func nothingToReplay(why string) *problem.Problem {
	return problem.New(http.StatusConflict, problem.CodeConflict, "There is nothing to replay: "+why+".")
}
