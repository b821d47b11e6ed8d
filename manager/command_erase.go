package manager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

// extent is how much an erasure is about.
type extent string

// The extents.
const (
	eraseEverything extent = "everything"
	eraseOwner      extent = "owner"
	eraseBatch      extent = "batch"
	eraseBefore     extent = "before"
)

func extents() []extent { return []extent{eraseEverything, eraseOwner, eraseBatch, eraseBefore} }

const (
	countingTime  = 25 * time.Second // for what a dry run counts in S3 and Redis
	erasedAtATime = 500
)

type eraseRequest struct {
	What    extent    `json:"what"`
	Owner   string    `json:"owner,omitempty"`
	Batch   uuid.UUID `json:"batch,omitzero"`
	Before  time.Time `json:"before,omitzero"`   // accepted before it
	Confirm string    `json:"confirm,omitempty"` // the words that the dry run gives
}

// Concerns is what is erased.
func (q eraseRequest) Concerns() string {
	words, _ := q.words()
	return words
}

// words are what must be typed, so that nobody erases by a slip of the finger.
func (q eraseRequest) words() (string, error) {
	switch q.What {
	case eraseEverything:
		return "erase everything", nil
	case eraseOwner:
		if q.Owner == "" {
			return "", command.InvalidField("owner", "is missing")
		}
		return "erase " + q.Owner, nil
	case eraseBatch:
		if q.Batch == (uuid.UUID{}) {
			return "", command.InvalidField("batch", "is missing")
		}
		return "erase batch " + q.Batch.String(), nil
	case eraseBefore:
		if q.Before.IsZero() {
			return "", command.InvalidField("before", "is missing")
		}
		return "erase before " + q.Before.UTC().Format(time.DateOnly), nil
	}
	return "", oneOf("what", extent(fmt.Sprintf("%q", q.What)), extents())
}

// eraseCounts are what there is of it.
type eraseCounts struct {
	Photos       int  `json:"photos"` // rows in MySQL, with their faces
	Batches      int  `json:"batches"`
	Objects      int  `json:"objects"`       // in S3
	CacheEntries int  `json:"cache_entries"` // in Redis
	Messages     int  `json:"messages"`      // of photos that wait or are in hand, on the broker or about to be
	DeadLetters  int  `json:"dead_letters"`
	Partial      bool `json:"partial,omitempty"` // there is more in S3 and Redis than could be counted in time
}

type eraseAnswer struct {
	ID      uuid.UUID   `json:"id,omitzero"` // none of a dry run
	Found   eraseCounts `json:"found"`
	Confirm string      `json:"confirm"` // what must be typed
	Remains []string    `json:"remains"`
}

// remains is what an erasure leaves, and why.
func remains() []string {
	return []string{
		"accounts, their keys and webhooks: delete the account for those",
		"the audit log, with this erasure in it",
		"events and readings on the broker, without pictures or names of files, for up to seven days",
		"uploads by signed link of which no photo came, for up to two days",
		"backups of the stores, by their own rules",
	}
}

func (s *Service) eraseCommands() []command.Command {
	id, at := exampleID(), exampleMoment()
	return []command.Command{
		command.Change("data.erase", "Erases photos with all that is kept of them: everything, an account's, a batch's, or what is older than a date. Its dry run counts it, and gives the words that must be repeated as \"confirm\".",
			eraseRequest{What: eraseOwner, Owner: "ann", Confirm: "erase ann"},
			eraseAnswer{ID: id, Found: eraseCounts{Photos: 120, Objects: 355, CacheEntries: 12, DeadLetters: 2}, Confirm: "erase ann", Remains: remains()}, s.eraseData).Within(longCommand),
		command.Read("data.erasures", "Lists erasures, the newest first, and how far they are.",
			erasuresRequest{Limit: 1}, erasuresAnswer{Erasures: []erasure{{ID: id, What: "erase ann", AskedBy: "admin", CreatedAt: at, Report: eraseReport{Found: eraseCounts{Photos: 120}, Marked: 120, Left: 40}}}}, s.listErasures),
	}
}

func (s *Service) eraseData(ctx context.Context, call command.Call, q eraseRequest) (eraseAnswer, error) {
	words, err := q.words()
	if err != nil {
		return eraseAnswer{}, err
	}
	e, err := s.newErasure(ctx, call, q, words)
	if err != nil {
		return eraseAnswer{}, err
	}
	if !call.DryRun && q.Confirm != words {
		return eraseAnswer{}, command.InvalidField("confirm", fmt.Sprintf("is not %q; nothing was erased", words))
	}
	answer := eraseAnswer{Confirm: words, Remains: remains()}
	if answer.Found, err = s.countErasure(ctx, e); err != nil || call.DryRun {
		return answer, err
	}
	if e.Document, err = json.Marshal(eraseReport{Found: answer.Found}); err != nil {
		return eraseAnswer{}, err
	}
	answer.ID = e.ID
	return answer, s.store.BeginErasure(ctx, e)
}

func (s *Service) newErasure(ctx context.Context, call command.Call, q eraseRequest, words string) (jobstore.Erasure, error) {
	now := time.Now().UTC()
	e := jobstore.Erasure{What: string(q.What), BatchID: q.Batch, Until: now, Words: words, AskedBy: call.By.Name, Via: string(call.By.Via), CreatedAt: now}
	if q.What == eraseBefore {
		if e.Until = q.Before.UTC(); e.Until.After(now) {
			return e, command.InvalidField("before", "is in the future")
		}
	}
	owner, err := s.owner(ctx, q.Owner)
	if err != nil {
		return e, err
	}
	e.OwnerID = owner.ID
	if q.What == eraseBatch {
		if _, err := s.store.FindBatch(ctx, q.Batch); errors.Is(err, jobstore.ErrNotFound) {
			return e, problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such batch.").WithCause(err)
		} else if err != nil {
			return e, err
		}
	}
	e.ID, err = uuid.NewV7()
	return e, err
}

// countErasure counts what there is in every store. S3 and Redis are counted for as long
// as a person waits; more than that is told as partial.
func (s *Service) countErasure(ctx context.Context, e jobstore.Erasure) (found eraseCounts, err error) {
	search := e.Search()
	if found.Photos, err = s.store.CountSearch(ctx, search); err != nil {
		return found, err
	}
	if found.Batches, err = s.store.CountBatchesToErase(ctx, e); err != nil {
		return found, err
	}
	search.States = []job.State{job.StateQueued, job.StateProcessing}
	if found.Messages, err = s.store.CountSearch(ctx, search); err != nil {
		return found, err
	}
	search.States = []job.State{job.StateFailed}
	if found.DeadLetters, err = s.store.CountSearch(ctx, search); err != nil {
		return found, err
	}
	limited, cancel := context.WithTimeout(ctx, countingTime)
	defer cancel()
	err = s.countElsewhere(limited, e, &found)
	if limited.Err() != nil && ctx.Err() == nil {
		found.Partial = true
		return found, nil
	}
	return found, err
}

// countElsewhere walks through the photos by id, and through the bucket by the days on
// which they were accepted: of everything, all days of it.
func (s *Service) countElsewhere(ctx context.Context, e jobstore.Erasure, found *eraseCounts) error {
	theirs, days := map[job.ID]bool{}, map[string]bool{}
	search := e.Search()
	search.Limit = erasedAtATime
	for {
		ids, err := s.store.SearchIDs(ctx, search)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			break
		}
		for _, id := range ids {
			theirs[id] = true
			seconds, nanos := id.Time().UnixTime()
			days[time.Unix(seconds, nanos).UTC().Format(time.DateOnly)] = true
		}
		cached, err := s.cache.CountResults(ctx, ids...)
		if err != nil {
			return err
		}
		found.CacheEntries += cached
		search.After = ids[len(ids)-1]
	}
	count := func(page []imagestore.Object) error {
		for _, o := range page {
			if id, is := imagestore.PhotoOf(o.Key); is && theirs[id] || e.What == string(eraseEverything) {
				found.Objects++
			}
		}
		return nil
	}
	if e.What == string(eraseEverything) { // also of days whose photos are gone
		all, err := s.images.Days(ctx)
		if err != nil {
			return err
		}
		for _, day := range all {
			days[day] = true
		}
	}
	for day := range days {
		if err := s.images.List(ctx, day+"/", count); err != nil {
			return err
		}
	}
	return nil
}

// eraseReport is the document of an erasure.
type eraseReport struct {
	Found   eraseCounts `json:"found"`             // when it began
	Batches int         `json:"batches"`           // that have their tombstone
	Marked  int         `json:"marked"`            // photos that have theirs: nobody finds them any more
	Letters int         `json:"letters"`           // dead letters taken away
	Left    int         `json:"left"`              // photos and batches of which something is still stored
	Trouble string      `json:"trouble,omitempty"` // why it does not go on at the moment
	Remains []string    `json:"remains,omitempty"` // once it is done
}

type erasuresRequest struct {
	Limit int `json:"limit,omitempty"`
}

type erasuresAnswer struct {
	Erasures []erasure `json:"erasures"`
}

type erasure struct {
	ID         uuid.UUID   `json:"id"`
	What       string      `json:"what"`
	AskedBy    string      `json:"asked_by"`
	CreatedAt  time.Time   `json:"created_at"`
	FinishedAt time.Time   `json:"finished_at,omitzero"` // it goes on until then
	Report     eraseReport `json:"report"`
}

func (s *Service) listErasures(ctx context.Context, q erasuresRequest) (erasuresAnswer, error) {
	limit, err := listLimit(q.Limit)
	if err != nil {
		return erasuresAnswer{}, err
	}
	list, err := s.store.ListErasures(ctx, limit)
	answer := erasuresAnswer{Erasures: []erasure{}}
	for _, e := range list {
		one := erasure{ID: e.ID, What: e.Words, AskedBy: e.AskedBy, CreatedAt: e.CreatedAt, FinishedAt: e.FinishedAt}
		if err := json.Unmarshal(e.Document, &one.Report); err != nil {
			return erasuresAnswer{}, fmt.Errorf("reading erasure %s: %w", e.ID, err)
		}
		answer.Erasures = append(answer.Erasures, one)
	}
	return answer, err
}
