package manager

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue/command"
)

// mostLeft is how far what is left is counted.
const mostLeft = 10_000

// targets are photos that a command is about: those with the ids, or the oldest of those
// that match.
type targets struct {
	IDs   ids          `json:"ids,omitempty"`
	Match *listRequest `json:"match,omitempty"`
	Limit int          `json:"limit,omitempty"` // of those that match: 500 unless fewer are said
}

// Concerns is the photo, if it is one.
func (q targets) Concerns() string { return q.IDs.Concerns() }

// meantBy finds the photos, and says how many more match. Of those that match only the
// ones in a state that the command can do something about are meant.
func (s *Service) meantBy(ctx context.Context, q targets, states ...job.State) (list ids, left int, err error) {
	if q.Match == nil {
		return q.IDs, 0, q.IDs.check()
	}
	switch {
	case len(q.IDs) > 0:
		return nil, 0, command.Invalid(`Say either "ids" or "match".`)
	case q.Limit < 0 || q.Limit > mostIDs:
		return nil, 0, command.InvalidField("limit", fmt.Sprintf("is not from 1 to %d", mostIDs))
	case q.Match.Limit != 0 || q.Match.Before != job.ID{}:
		return nil, 0, command.InvalidField("match", `has "limit" or "before", which say nothing about a photo; "limit" stands beside "match"`)
	case *q.Match == listRequest{}:
		return nil, 0, command.InvalidField("match", "restricts nothing, and so would mean every photo")
	case q.Match.State != "" && !slices.Contains(states, q.Match.State):
		return nil, 0, command.InvalidField("match", fmt.Sprintf("is about photos that are %s, for which this cannot be done", q.Match.State))
	}
	f, err := s.searchOf(ctx, *q.Match)
	if err != nil {
		return nil, 0, err
	}
	f.States, f.Limit = states, cmp.Or(q.Limit, mostIDs)
	all, err := s.store.CountUpTo(ctx, f, mostLeft)
	if err != nil {
		return nil, 0, err
	}
	if list, err = s.store.SearchIDs(ctx, f); err != nil {
		return nil, 0, err
	}
	return list, max(all-len(list), 0), nil
}
