package scaler

import (
	"context"
	"fmt"
	"time"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue/command"
)

// historyTimeout is CloudWatch's: it may be slow, and whoever asks sees that it is.
const historyTimeout = 10 * time.Second

func (l *leader) historyCommands() []command.Command {
	cpu, requests, jobs := 0.41, 318.0, 12.0
	return []command.Command{
		command.Read("history", "Shows CPU, HTTP requests and photos of an instance over hours, as CloudWatch has them.",
			historyRequest{Instance: "i-0b1c", For: command.Duration(3 * time.Hour)},
			historyAnswer{
				Instance: "i-0b1c", From: exampleMoment().Add(-3 * time.Hour), To: exampleMoment(), Period: command.Duration(time.Minute),
				Points: []fleet.Point{{At: exampleMoment().Add(-time.Minute), CPU: &cpu, Requests: &requests, Jobs: &jobs}},
			}, l.showHistory).Within(historyTimeout),
	}
}

type historyRequest struct {
	Instance string           `json:"instance"`
	For      command.Duration `json:"for,omitzero"` // up to now; 3 hours, unless said otherwise
}

type historyAnswer struct {
	Instance string           `json:"instance"`
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	Period   command.Duration `json:"period"` // that each point is about
	Points   []fleet.Point    `json:"points"` // the oldest first
}

const usualHistory = 3 * time.Hour

func (l *leader) showHistory(ctx context.Context, q historyRequest) (historyAnswer, error) {
	if q.Instance == "" {
		return historyAnswer{}, command.InvalidField("instance", "is missing")
	}
	span := time.Duration(q.For)
	if span == 0 {
		span = usualHistory
	}
	if span < time.Minute || span > fleet.LongestHistory {
		return historyAnswer{}, command.InvalidField("for", fmt.Sprintf("is not from 1m to %v", fleet.LongestHistory))
	}
	now := time.Now().UTC()
	period, points, err := l.doors.Fleet.History(ctx, q.Instance, span)
	if err != nil {
		return historyAnswer{}, err
	}
	if points == nil {
		points = []fleet.Point{}
	}
	return historyAnswer{Instance: q.Instance, From: now.Add(-span), To: now, Period: command.Duration(period), Points: points}, nil
}
