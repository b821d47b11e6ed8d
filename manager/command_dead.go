package manager

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
)

const (
	usualDead      = 100  // photos that one request redrives or discards, unless it says more
	mostDead       = 5000 // however it says
	fastestRedrive = 1000 // photos a second
)

func (s *Service) deadCommands() []command.Command {
	id := exampleID()
	these := selection{Reason: job.CodeDecoderCrashed, Model: "maskfleet 3"}
	return []command.Command{
		command.Read("jobs.dead.list", "Lists photos that failed and were not put aside, and counts them by reason and model.",
			deadListRequest{selection: these, Limit: 2}, deadListAnswer{
				Total:   1,
				Groups:  []deadGroup{{job.CodeDecoderCrashed, these.Model, 1, exampleMoment(), exampleMoment()}},
				Letters: []deadLetter{deadLetterOf(exampleFailure(), "ann")},
			}, s.listDead),
		command.Change("jobs.dead.redrive", "Tries failed photos again, the oldest first: so many, so many a second, in the canary lane or at one worker if that is wanted.",
			redriveRequest{selection: these, Limit: 20, PerSecond: 2, Canary: true}, redriveAnswer{Redriven: 20, Left: 31, Lane: job.LaneCanary, LastDueIn: command.Duration(9500 * time.Millisecond)}, s.redriveDead).Within(longCommand),
		command.Read("jobs.dead.trial", "Shows the photos that were tried again at one worker last, and how they fared.",
			struct{}{}, exampleTrial(), s.showTrial),
		command.Change("jobs.dead.trial.end", "Ends a trial before its photos have: any worker takes from the canary lane again.",
			struct{}{}, trialEndAnswer{Worker: "local-1", WasGoing: true, Open: 2}, s.endTrial),
		command.Change("jobs.dead.discard", "Puts failures aside: they stay failed, and no list of dead letters shows them.",
			discardRequest{selection: selection{IDs: ids{id}}}, discardAnswer{Discarded: 1}, s.discardDead).Within(longCommand),
	}
}

// selection says which dead letters are meant; what is left out does not restrict.
type selection struct {
	Reason job.Code  `json:"reason,omitempty"`
	Model  string    `json:"model,omitempty"` // "maskfleet 3", or its name alone
	Owner  string    `json:"owner,omitempty"`
	Batch  uuid.UUID `json:"batch,omitzero"`
	IDs    ids       `json:"ids,omitempty"`
}

// Concerns is the photo, if it is one.
func (w selection) Concerns() string { return w.IDs.Concerns() }

func (w selection) empty() bool {
	return w.Reason == "" && w.Model == "" && w.Owner == "" && w.Batch == uuid.UUID{} && len(w.IDs) == 0
}

// check refuses a selection of everything, and a limit that is none.
func (w selection) check(limit int) error {
	switch {
	case w.empty():
		return command.Invalid("Say which dead letters: by reason, model, owner, batch or ids.")
	case limit < 0 || limit > mostDead:
		return command.InvalidField("limit", fmt.Sprintf("is not from 1 to %d", mostDead))
	}
	return oneOf("reason", w.Reason, job.Codes())
}

// meant finds the photos of a selection, the oldest first and limit at most, and says
// how many more there are.
func (s *Service) meant(ctx context.Context, w selection, limit int) (list []job.ID, left int, err error) {
	f, err := s.search(ctx, w)
	if err != nil {
		return nil, 0, err
	}
	f.Limit = cmp.Or(limit, usualDead)
	all, err := s.store.CountSearch(ctx, f)
	if err != nil {
		return nil, 0, err
	}
	list, err = s.store.SearchIDs(ctx, f)
	return list, max(all-len(list), 0), err
}

func (s *Service) search(ctx context.Context, w selection) (jobstore.Search, error) {
	if len(w.IDs) > 0 {
		if err := w.IDs.check(); err != nil {
			return jobstore.Search{}, err
		}
	}
	owner, err := s.owner(ctx, w.Owner)
	if err != nil {
		return jobstore.Search{}, err
	}
	f := jobstore.Search{Dead: true, Code: w.Reason, OwnerID: owner.ID, BatchID: w.Batch, IDs: w.IDs}
	f.Model.Name, f.Model.Version, _ = strings.Cut(w.Model, " ")
	return f, nil
}

type deadListRequest struct {
	selection
	Before job.ID `json:"before,omitzero"` // the answer's "next" of the page before
	Limit  int    `json:"limit,omitempty"`
}

type deadListAnswer struct {
	Total   int          `json:"total"` // of all reasons, whatever was asked for
	Groups  []deadGroup  `json:"groups"`
	Letters []deadLetter `json:"letters"`
	Next    job.ID       `json:"next,omitzero"`
}

type deadGroup struct {
	Reason job.Code  `json:"reason"`
	Model  string    `json:"model,omitempty"`
	Photos int       `json:"photos"`
	Oldest time.Time `json:"oldest"`
	Newest time.Time `json:"newest"`
}

type deadLetter struct {
	listed
	Message    string `json:"message"`
	Cause      string `json:"cause,omitempty"` // for operators only
	Model      string `json:"model,omitempty"`
	SlotDeaths int    `json:"slot_deaths"`
}

func (s *Service) listDead(ctx context.Context, q deadListRequest) (deadListAnswer, error) {
	answer := deadListAnswer{Groups: []deadGroup{}}
	var err error
	if answer.Letters, answer.Next, err = s.deadLetters(ctx, q); err != nil {
		return deadListAnswer{}, err
	}
	groups, err := s.store.DeadGroups(ctx)
	for _, g := range groups {
		answer.Total += g.Photos
		answer.Groups = append(answer.Groups, deadGroup{g.Reason, modelWords(g.Model), g.Photos, g.Oldest, g.Newest})
	}
	return answer, err
}

// deadLetters is a page of them, and where the next one begins.
func (s *Service) deadLetters(ctx context.Context, q deadListRequest) ([]deadLetter, job.ID, error) {
	limit, err := listLimit(q.Limit)
	if err == nil {
		err = oneOf("reason", q.Reason, job.Codes())
	}
	if err != nil {
		return nil, job.ID{}, err
	}
	f, err := s.search(ctx, q.selection)
	if err != nil {
		return nil, job.ID{}, err
	}
	f.Before, f.Limit = q.Before, limit+1
	photos, err := s.store.SearchPhotos(ctx, f)
	if err != nil {
		return nil, job.ID{}, err
	}
	photos, next := page(photos, limit)
	names, err := s.namesOf(ctx, photos)
	if err != nil {
		return nil, job.ID{}, err
	}
	letters := []deadLetter{}
	for _, p := range photos {
		letters = append(letters, deadLetterOf(p, names[p.OwnerID]))
	}
	return letters, next, nil
}

func deadLetterOf(p job.Photo, owner string) deadLetter {
	d := deadLetter{listed: listedPhoto(p, owner), SlotDeaths: p.Row.SlotDeaths}
	if f := p.Failure; f != nil {
		d.Message, d.Model = f.Message(), modelWords(f.Model)
		if f.Cause != nil {
			d.Cause = f.Cause.Error()
		}
	}
	return d
}

func modelWords(m job.Model) string { return strings.TrimSpace(m.Name + " " + m.Version) }

type redriveRequest struct {
	selection
	Limit     int     `json:"limit,omitempty"`      // at most so many; 100 unless said
	PerSecond float64 `json:"per_second,omitempty"` // 0: all at once
	Canary    bool    `json:"canary,omitempty"`     // in the canary lane, which has little weight
	Worker    string  `json:"worker,omitempty"`     // that alone takes from the canary lane meanwhile; at most 100 photos
}

type redriveAnswer struct {
	Redriven  int              `json:"redriven"`
	Left      int              `json:"left"`              // that were meant, too
	Refused   int              `json:"refused,omitempty"` // somebody else was quicker, or their batch is closed
	Lane      job.Lane         `json:"lane,omitempty"`    // if not their own
	Worker    string           `json:"worker,omitempty"`
	Until     time.Time        `json:"until,omitzero"` // the canary lane is that worker's
	LastDueIn command.Duration `json:"last_due_in"`
}

// redriveDead spreads the photos over time by when their rows are due, so that nobody
// has to stay for the rate to be kept.
func (s *Service) redriveDead(ctx context.Context, call command.Call, q redriveRequest) (answer redriveAnswer, err error) {
	if err := q.check(); err != nil {
		return redriveAnswer{}, err
	}
	list, left, err := s.meant(ctx, q.selection, q.Limit)
	if err != nil {
		return redriveAnswer{}, err
	}
	answer.Left = left
	if q.Canary && q.Worker == "" {
		if err := s.keptForAnother(ctx); err != nil {
			return redriveAnswer{}, err
		}
	}
	if !call.DryRun {
		defer s.board.groups.once(ctx) // who looks at the page next sees what is left
	}
	if q.Canary || q.Worker != "" {
		answer.Lane = job.LaneCanary
	}
	if q.Worker != "" && len(list) > 0 {
		begun := time.Now().UTC().Truncate(time.Millisecond)
		if answer.Until, err = s.beginTrial(ctx, call, q, list, begun); err != nil {
			return redriveAnswer{}, err
		}
		if answer.Worker = q.Worker; !call.DryRun {
			defer s.openTrial(ctx, begun)
		}
	}
	for _, id := range list {
		after := q.after(answer.Redriven)
		done := call.DryRun
		if !call.DryRun {
			if done, err = s.store.Redrive(ctx, id, after, answer.Lane); err != nil {
				return answer, err
			}
		}
		if !done {
			answer.Refused++
			continue
		}
		answer.Redriven++
		answer.LastDueIn = command.Duration(after)
		if !call.DryRun {
			s.queue.Announce(ctx, id, jobqueue.StageReopened, by(call.By))
		}
	}
	return answer, nil
}

func (q redriveRequest) check() error {
	if q.PerSecond < 0 || q.PerSecond > fastestRedrive {
		return command.InvalidField("per_second", fmt.Sprintf("is not from 0 to %d", fastestRedrive))
	}
	if q.Worker != "" && q.Limit > mostTried {
		return command.InvalidField("limit", fmt.Sprintf("is not from 1 to %d, as many as one worker tries", mostTried))
	}
	return q.selection.check(q.Limit)
}

// after is how long the nth photo has to wait.
func (q redriveRequest) after(n int) time.Duration {
	if q.PerSecond == 0 {
		return 0
	}
	return time.Duration(float64(n) / q.PerSecond * float64(time.Second))
}

type discardRequest struct {
	selection
	Limit int `json:"limit,omitempty"`
}

type discardAnswer struct {
	Discarded int `json:"discarded"`
	Left      int `json:"left"`
}

// strays are the reasons of letters in DEAD that have no row.
func strays() []job.Code { return []job.Code{jobqueue.ReasonUnknown, jobqueue.ReasonMalformed} }

// discardDead puts rows aside, then takes their letters out of DEAD. A crash between
// the two leaves letters that DEAD forgets by itself.
func (s *Service) discardDead(ctx context.Context, call command.Call, q discardRequest) (discardAnswer, error) {
	if slices.Contains(strays(), q.Reason) {
		return s.discardStrays(ctx, call, string(q.Reason))
	}
	if err := q.check(q.Limit); err != nil {
		return discardAnswer{}, err
	}
	list, left, err := s.meant(ctx, q.selection, q.Limit)
	if err != nil {
		return discardAnswer{}, err
	}
	answer := discardAnswer{Discarded: len(list), Left: left}
	if call.DryRun {
		return answer, nil
	}
	defer s.board.groups.once(ctx)
	if answer.Discarded, err = s.store.Discard(ctx, list); err != nil {
		return discardAnswer{}, err
	}
	for _, id := range list {
		if err := s.queue.DiscardDeadLetters(ctx, "", id.String()); err != nil {
			return answer, err
		}
	}
	return answer, nil
}

func (s *Service) discardStrays(ctx context.Context, call command.Call, reason string) (discardAnswer, error) {
	n, err := s.queue.CountDeadLetters(ctx, reason)
	if err != nil || call.DryRun {
		return discardAnswer{Discarded: n}, err
	}
	return discardAnswer{Discarded: n}, s.queue.DiscardDeadLetters(ctx, reason, "")
}
