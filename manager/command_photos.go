package manager

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

func (s *Service) photoCommands() []command.Command {
	id, example := exampleID(), describe(exampleFailure(), "ann")
	example.Timeline = []moment{{At: exampleMoment(), Stage: "accepted", Fields: json.RawMessage(`{"source":"upload"}`)}}
	return []command.Command{
		command.Read("jobs.list", "Lists photos of all owners, the newest first.",
			listRequest{State: job.StateFailed, Code: job.CodeDecoderCrashed, Limit: 2}, listAnswer{Photos: []listed{example.listed}, Next: id}, s.listPhotos),
		command.Read("jobs.get", "Shows one photo: the whole state of its row, the message, and what happened to it.",
			getRequest{ID: id}, example, s.getPhoto),
		command.Change("jobs.submit", "Submits a photo behind a link, for an owner.",
			submitRequest{URL: "https://example.com/gate.jpg", Owner: "ann"}, submitAnswer{ID: id, Owner: "ann", Lane: job.LaneInteractive}, s.submitPhoto),
		command.Change("jobs.retry", "Tries failed or expired photos again, with all their attempts.",
			targets{IDs: ids{id}}, retryAnswer{Retried: 1, Name: "gate.jpg", Causes: tally{{job.CodeDecoderCrashed, 1, true}}}, s.retryPhotos).Within(longCommand),
		command.Change("jobs.cancel", "Cancels photos that wait; what is in hand finishes.",
			targets{Match: &listRequest{Owner: "ann", Lane: job.LaneBatch}, Limit: 500}, cancelAnswer{Cancelled: 1, Name: "gate.jpg"}, s.cancelPhotos).Within(longCommand),
	}
}

type listRequest struct {
	State    job.State    `json:"state,omitempty"`
	Lane     job.Lane     `json:"lane,omitempty"`
	Owner    string       `json:"owner,omitempty"` // the account's name
	Category job.Category `json:"category,omitempty"`
	Code     job.Code     `json:"code,omitempty"`
	Model    string       `json:"model,omitempty"`  // "maskfleet 3", or its name alone; takes a failure, a worker, or what name takes
	Worker   string       `json:"worker,omitempty"` // that had it last
	Name     string       `json:"name,omitempty"`   // part of the file's name or link; takes an owner, a batch, or from and to
	SHA256   string       `json:"sha256,omitempty"` // of the file's bytes
	Batch    uuid.UUID    `json:"batch,omitzero"`
	From     time.Time    `json:"from,omitzero"`   // accepted at or after
	To       time.Time    `json:"to,omitzero"`     // and before
	Before   job.ID       `json:"before,omitzero"` // the answer's "next" of the page before
	Limit    int          `json:"limit,omitempty"`
}

type listAnswer struct {
	Photos []listed `json:"photos"`
	Next   job.ID   `json:"next,omitzero"` // there is more: ask with it as "before"
}

// listed is a photo in a list.
type listed struct {
	ID        job.ID       `json:"id"`
	Owner     string       `json:"owner"`
	State     job.State    `json:"state"`
	Lane      job.Lane     `json:"lane"`
	Batch     uuid.UUID    `json:"batch,omitzero"`
	Filename  string       `json:"filename,omitempty"`
	Link      string       `json:"link,omitempty"`
	Category  job.Category `json:"category,omitempty"`
	Code      job.Code     `json:"code,omitempty"` // of the failure
	Attempts  int          `json:"attempts"`
	Worker    string       `json:"worker,omitempty"`
	CreatedAt time.Time    `json:"created_at"`
	EndedAt   time.Time    `json:"ended_at,omitzero"`
}

func (s *Service) listPhotos(ctx context.Context, q listRequest) (listAnswer, error) {
	limit, err := listLimit(q.Limit)
	if err != nil {
		return listAnswer{}, err
	}
	search, err := s.searchOf(ctx, q)
	if err != nil {
		return listAnswer{}, err
	}
	search.Before, search.Limit = q.Before, limit+1
	photos, err := s.store.SearchPhotos(ctx, search)
	if err != nil {
		return listAnswer{}, err
	}
	photos, next := page(photos, limit)
	names, err := s.namesOf(ctx, photos)
	if err != nil {
		return listAnswer{}, err
	}
	answer := listAnswer{Photos: []listed{}, Next: next}
	for _, p := range photos {
		answer.Photos = append(answer.Photos, listedPhoto(p, names[p.OwnerID]))
	}
	return answer, nil
}

// check refuses what is not known, and a search that would read every row.
func (q listRequest) check() error {
	if err := cmp.Or(oneOf("state", q.State, job.States()), oneOf("lane", q.Lane, job.Lanes()),
		oneOf("category", q.Category, job.Categories()), oneOf("code", q.Code, job.Codes())); err != nil {
		return err
	}
	if raw, err := hex.DecodeString(q.SHA256); q.SHA256 != "" && (err != nil || len(raw) != sha256.Size) {
		return command.InvalidField("sha256", "is no SHA-256: 64 hexadecimal digits")
	}
	day := !q.From.IsZero() && q.To.Sub(q.From) <= longestDearSearch
	bounded := q.Owner != "" || q.Batch != uuid.UUID{} || day
	if q.Model != "" && !bounded && q.Code == "" && q.Worker == "" && q.State != job.StateFailed {
		return command.InvalidField("model", "is looked for among failures, the photos of an owner, a batch or a worker, or between from and to that are at most a day apart")
	}
	if q.Name != "" && !bounded {
		return command.InvalidField("name", "is looked for among the photos of an owner or a batch, or between from and to that are at most a day apart")
	}
	return nil
}

// searchOf is a request in the store's words, without its place and limit.
func (s *Service) searchOf(ctx context.Context, q listRequest) (jobstore.Search, error) {
	if err := q.check(); err != nil {
		return jobstore.Search{}, err
	}
	owner, err := s.owner(ctx, q.Owner)
	f := jobstore.Search{
		State: q.State, Lane: q.Lane, OwnerID: owner.ID, Category: q.Category, Code: q.Code, BatchID: q.Batch,
		Worker: q.Worker, Name: q.Name, SHA256: strings.ToLower(q.SHA256), From: q.From, To: q.To,
	}
	f.Model.Name, f.Model.Version, _ = strings.Cut(q.Model, " ")
	return f, err
}

func listLimit(wanted int) (int, error) {
	if wanted == 0 {
		return usualListing, nil
	}
	if wanted < 1 || wanted > longestList {
		return 0, command.InvalidField("limit", fmt.Sprintf("is not from 1 to %d", longestList))
	}
	return wanted, nil
}

// page cuts what was read one too long, and gives where the next page begins.
func page(photos []job.Photo, limit int) ([]job.Photo, job.ID) {
	if len(photos) <= limit {
		return photos, job.ID{}
	}
	return photos[:limit], photos[limit-1].ID
}

func (s *Service) namesOf(ctx context.Context, photos []job.Photo) (map[uuid.UUID]string, error) {
	var owners []uuid.UUID
	for _, p := range photos {
		if !slices.Contains(owners, p.OwnerID) {
			owners = append(owners, p.OwnerID)
		}
	}
	return s.store.Usernames(ctx, owners)
}

func listedPhoto(p job.Photo, owner string) listed {
	l := listed{
		ID: p.ID, Owner: owner, State: p.Row.State, Lane: p.Lane, Batch: p.BatchID, Filename: p.Filename, Link: p.Link,
		Attempts: p.Row.Attempts, Worker: p.WorkerID, CreatedAt: p.CreatedAt, EndedAt: p.DoneAt,
	}
	if p.Result != nil {
		l.Category = job.Count(p.Result.Faces).Category()
	}
	if p.Failure != nil {
		l.Code = p.Failure.Code
	}
	return l
}

type getRequest struct {
	ID job.ID `json:"id"`
}

// photoAnswer is everything that is known of a photo but its bytes.
type photoAnswer struct {
	listed
	Bytes       int64             `json:"bytes"`
	Width       int               `json:"width"`
	Height      int               `json:"height"`
	ContentType string            `json:"content_type,omitempty"`
	Source      job.Source        `json:"source"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Row         rowAnswer         `json:"row"`
	Message     messageAnswer     `json:"message"`
	Failure     *failureAnswer    `json:"failure,omitempty"`
	Result      *resultAnswer     `json:"result,omitempty"`
	Timeline    []moment          `json:"timeline"`
}

// rowAnswer is the row protocol's state; see docs/architecture.md.
type rowAnswer struct {
	Publication  int       `json:"publication"`
	Confirmed    bool      `json:"confirmed"`
	Fence        int       `json:"fence"`
	Attempts     int       `json:"attempts"`
	MaxAttempts  int       `json:"max_attempts"`
	SlotDeaths   int       `json:"slot_deaths"`
	RunAt        time.Time `json:"run_at"`
	Due          bool      `json:"due"`
	ClaimedAt    time.Time `json:"claimed_at,omitzero"`
	LeaseUntil   time.Time `json:"lease_until,omitzero"`
	LeaseOver    bool      `json:"lease_over,omitempty"`
	DeadLettered bool      `json:"dead_lettered,omitempty"`
}

// messageAnswer is what lies on the broker.
type messageAnswer struct {
	Live        bool `json:"live"`
	Publication int  `json:"publication,omitempty"`
}

type failureAnswer struct {
	Code      job.Code  `json:"code"`
	Message   string    `json:"message"`
	Retryable bool      `json:"retryable"`
	Cause     string    `json:"cause,omitempty"` // for operators only
	Model     job.Model `json:"model,omitzero"`
}

type resultAnswer struct {
	Faces     int       `json:"faces"`
	Masked    int       `json:"masked"`
	Unmasked  int       `json:"unmasked"`
	Model     job.Model `json:"model"`
	QueuedMS  int64     `json:"queued_ms"`
	FetchMS   int64     `json:"fetch_ms"`
	DetectMS  int64     `json:"inference_ms"`
	TotalMS   int64     `json:"total_ms"`
	Annotated string    `json:"annotated_key"`
}

// moment is an event of the timeline.
type moment struct {
	At     time.Time       `json:"at"`
	Stage  string          `json:"stage"`
	Fields json.RawMessage `json:"fields,omitempty"`
}

func (s *Service) getPhoto(ctx context.Context, q getRequest) (photoAnswer, error) {
	p, owner, err := s.findPhoto(ctx, q.ID)
	if err != nil {
		return photoAnswer{}, err
	}
	answer := describe(p, owner)
	err = s.addBroker(ctx, &answer, p)
	return answer, err
}

// findPhoto gives a photo's row and its owner's name.
func (s *Service) findPhoto(ctx context.Context, id job.ID) (job.Photo, string, error) {
	p, err := s.store.Find(ctx, id)
	if errors.Is(err, jobstore.ErrNotFound) {
		return job.Photo{}, "", problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such photo.").WithCause(err)
	}
	if err != nil {
		return job.Photo{}, "", err
	}
	names, err := s.namesOf(ctx, []job.Photo{p})
	return p, names[p.OwnerID], err
}

// addBroker adds what the broker knows: the photo's message, and what happened to it.
func (s *Service) addBroker(ctx context.Context, answer *photoAnswer, p job.Photo) (err error) {
	if answer.Message.Publication, answer.Message.Live, err = s.queue.Live(ctx, p.Lane, p.ID); err != nil {
		return err
	}
	events, err := s.queue.Timeline(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, e := range events {
		answer.Timeline = append(answer.Timeline, moment{e.At, string(e.Stage), e.Fields})
	}
	return nil
}

func describe(p job.Photo, owner string) photoAnswer {
	r := p.Row
	answer := photoAnswer{
		listed: listedPhoto(p, owner), Bytes: p.Bytes, Width: p.Width, Height: p.Height,
		ContentType: p.ContentType, Source: p.Source, Metadata: p.Metadata, Timeline: []moment{},
		Row: rowAnswer{
			Publication: r.Publication, Confirmed: r.Confirmed, Fence: r.Fence, Attempts: r.Attempts, MaxAttempts: job.MaxAttempts,
			SlotDeaths: r.SlotDeaths, RunAt: p.RunAt, Due: r.Due, ClaimedAt: p.ClaimedAt, LeaseUntil: p.LeaseOver,
			LeaseOver: r.LeaseOver, DeadLettered: r.DeadLetter,
		},
	}
	if f := p.Failure; f != nil {
		answer.Failure = &failureAnswer{Code: f.Code, Message: f.Message(), Retryable: f.Retryable(), Model: f.Model}
		if f.Cause != nil {
			answer.Failure.Cause = f.Cause.Error()
		}
	}
	if p.Result != nil {
		counts, t := job.Count(p.Result.Faces), p.Result.Timing
		answer.Result = &resultAnswer{
			Faces: counts.Faces, Masked: counts.Masked, Unmasked: counts.Unmasked, Model: p.Result.Model,
			QueuedMS: t.Queued.Milliseconds(), FetchMS: t.Fetch.Milliseconds(), DetectMS: t.Inference.Milliseconds(),
			TotalMS: t.Total.Milliseconds(), Annotated: p.Result.AnnotatedKey,
		}
	}
	return answer
}
