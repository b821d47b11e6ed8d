package scaler

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/scaler/decide"
)

const (
	usualListing = 20
	longestList  = 200 // a whole decision has some two thousand bytes, an answer a million
)

type decisionsRequest struct {
	Since   time.Time `json:"since,omitzero"`    // still made at or after
	Changes bool      `json:"changes,omitempty"` // only those that wanted another size
	Whole   bool      `json:"whole,omitempty"`   // with all inputs and wants
	Before  uuid.UUID `json:"before,omitzero"`   // the answer's "next" of the page before
	Limit   int       `json:"limit,omitempty"`
}

type decisionsAnswer struct {
	Decisions []decided `json:"decisions"`     // the newest first
	Next      uuid.UUID `json:"next,omitzero"` // there is more: ask with it as "before"
}

// decided is a run of decisions that came to the same.
type decided struct {
	ID         uuid.UUID       `json:"id"`
	BegunAt    time.Time       `json:"begun_at"`
	EndedAt    time.Time       `json:"ended_at"`
	Ticks      int             `json:"ticks"`
	Policy     string          `json:"policy"`
	Version    int             `json:"version"`
	Size       int             `json:"size"`
	Target     int             `json:"target"`
	Decided    string          `json:"decided,omitempty"`
	Blind      bool            `json:"blind,omitempty"`
	Overridden bool            `json:"overridden,omitempty"`
	Reason     string          `json:"reason"`
	Whole      json.RawMessage `json:"whole,omitempty"` // the last of them
}

func (l *leader) decisionCommands() []command.Command {
	id, at := uuid.MustParse("0199d3a2-6c1e-7b04-9d57-3f2a8c51e6b0"), exampleMoment()
	example := decided{
		ID: id, BegunAt: at, EndedAt: at.Add(time.Minute), Ticks: 60, Policy: string(decide.TargetWait), Version: 12, Size: 3, Target: 4,
		Decided: decide.WantSurge, Reason: "4, because the load has jumped to 3.1 slots and may go on",
	}
	return []command.Command{
		command.Read("decisions", "Lists what was decided and why, the newest first; those alike that follow one another are one.",
			decisionsRequest{Changes: true, Limit: 1}, decisionsAnswer{Decisions: []decided{example}, Next: id}, l.listDecisions),
	}
}

func (l *leader) listDecisions(ctx context.Context, q decisionsRequest) (decisionsAnswer, error) {
	if q.Limit == 0 {
		q.Limit = usualListing
	}
	if q.Limit < 1 || q.Limit > longestList {
		return decisionsAnswer{}, command.InvalidField("limit", fmt.Sprintf("is not from 1 to %d", longestList))
	}
	rows, err := l.doors.Store.ListDecisions(ctx, jobstore.DecisionFilter{Before: q.Before, Since: q.Since.UTC(), Changes: q.Changes, Limit: q.Limit + 1})
	if err != nil {
		return decisionsAnswer{}, err
	}
	answer := decisionsAnswer{Decisions: []decided{}}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		answer.Next = rows[q.Limit-1].ID
	}
	for _, r := range rows {
		d := decided{
			ID: r.ID, BegunAt: r.BegunAt, EndedAt: r.EndedAt, Ticks: r.Ticks, Policy: r.Policy, Version: r.Version,
			Size: r.Size, Target: r.Target, Decided: r.Decided, Blind: r.Blind, Overridden: r.Overridden, Reason: r.Reason,
		}
		if q.Whole && json.Valid(r.Document) {
			d.Whole = r.Document
		}
		answer.Decisions = append(answer.Decisions, d)
	}
	return answer, nil
}
