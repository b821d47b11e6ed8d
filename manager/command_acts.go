package manager

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/linkfetch"
	"maskfleet/pkg/problem"
)

type submitRequest struct {
	URL      string            `json:"url"`
	Owner    string            `json:"owner"`
	Lane     job.Lane          `json:"lane,omitempty"` // interactive, unless said otherwise
	Metadata map[string]string `json:"metadata,omitempty"`
}

// Concerns is whose photo it will be.
func (q submitRequest) Concerns() string { return q.Owner }

type submitAnswer struct {
	ID    job.ID   `json:"id,omitzero"` // none of a dry run
	Owner string   `json:"owner"`
	Lane  job.Lane `json:"lane"`
}

// submitPhoto is the way of a door for a link: refused by a paused intake, promised by
// the row, handed over at once if the broker will have it.
func (s *Service) submitPhoto(ctx context.Context, call command.Call, q submitRequest) (submitAnswer, error) {
	p, err := s.newPhoto(ctx, q)
	if err != nil {
		return submitAnswer{}, err
	}
	answer := submitAnswer{Owner: q.Owner, Lane: p.Lane}
	if call.DryRun {
		return answer, nil
	}
	if err := s.store.Accept(ctx, p); err != nil {
		return submitAnswer{}, err
	}
	s.queue.Announce(ctx, p.ID, jobqueue.StageAccepted, by(call.By))
	s.handOver(ctx, p)
	answer.ID = p.ID
	return answer, nil
}

// newPhoto checks what is submitted.
func (s *Service) newPhoto(ctx context.Context, q submitRequest) (job.Photo, error) {
	if q.Lane == "" {
		q.Lane = job.LaneInteractive
	}
	if err := oneOf("lane", q.Lane, job.Lanes()); err != nil {
		return job.Photo{}, err
	}
	if q.Lane == job.LaneCanary {
		if err := s.keptForAnother(ctx); err != nil {
			return job.Photo{}, err
		}
	}
	if err := linkfetch.CheckLink(q.URL); err != nil {
		why := linkfetch.Why(err)
		return job.Photo{}, problem.New(http.StatusBadRequest, problem.CodeInvalidLink, "The link cannot be used: "+why+".").
			WithField("url", why).WithCause(err)
	}
	if q.Owner == "" {
		return job.Photo{}, problem.New(http.StatusBadRequest, problem.CodeMissingField, "A photo needs an owner.").WithField("owner", "is missing")
	}
	owner, err := s.owner(ctx, q.Owner)
	if err != nil {
		return job.Photo{}, err
	}
	if owner.Disabled { // also while it is being deleted
		return job.Photo{}, problem.New(http.StatusConflict, problem.CodeConflict, "That account is closed.").WithField("owner", "is closed")
	}
	if err := job.CheckMetadata(q.Metadata); err != nil {
		return job.Photo{}, problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "The metadata is not allowed.").
			WithField("metadata", err.Error()).WithCause(err)
	}
	if err := s.admit(ctx); err != nil {
		return job.Photo{}, err
	}
	id, err := job.NewID()
	if err != nil {
		return job.Photo{}, err
	}
	return job.Photo{
		ID: id, OwnerID: owner.ID, Lane: q.Lane, Source: job.SourceLink, Link: q.URL, Metadata: q.Metadata,
		CreatedAt: time.Now().UTC().Truncate(time.Microsecond), Row: job.Accepted(),
	}, nil
}

// admit refuses what a door would refuse: a paused intake, a full queue.
func (s *Service) admit(ctx context.Context) error {
	intake, err := s.queue.Intake(ctx)
	if err != nil {
		return err
	}
	if intake.Paused(time.Now()) {
		return problem.New(http.StatusServiceUnavailable, problem.CodeIntakePaused,
			"The intake is paused until "+intake.PausedUntil.Format(time.RFC3339)+" by "+intake.By+". Nothing was stored.")
	}
	depths, err := s.queue.Depth(ctx)
	if err != nil {
		return err
	}
	waiting, err := s.store.WaitingOutsideBroker(ctx)
	if err != nil {
		return err
	}
	for _, d := range depths {
		waiting += d.Pending + d.InFlight
	}
	if waiting >= s.cfg.QueueLimit {
		return problem.New(http.StatusServiceUnavailable, problem.CodeQueueFull, "Too many photos are waiting at the moment. Nothing was stored.")
	}
	return nil
}

// handOver publishes a photo that waits. If that does not work, the doors' publisher
// does it within seconds.
func (s *Service) handOver(ctx context.Context, p job.Photo) {
	err := s.queue.Publish(ctx, job.NewMessage(p, p.Row.Publication))
	if err == nil {
		_, err = s.store.Confirm(ctx, p.ID, p.Row.Publication)
	}
	if err != nil {
		s.tel.Log.WarnContext(ctx, "photo not handed over yet", "photo_id", p.ID, "err", err)
	}
}

type retryAnswer struct {
	Retried int       `json:"retried"`
	Name    string    `json:"name,omitempty"`   // of the photo, if it is one
	Causes  tally     `json:"causes,omitempty"` // of those that are tried again
	Left    int       `json:"left,omitempty"`   // that match, too; at most so many are counted
	Refused []refusal `json:"refused,omitempty"`
}

func (s *Service) retryPhotos(ctx context.Context, call command.Call, q targets) (answer retryAnswer, err error) {
	list, left, err := s.meantBy(ctx, q, job.StateFailed, job.StateExpired)
	if err != nil {
		return retryAnswer{}, err
	}
	answer.Left = left
	answer.Refused, err = s.each(ctx, list, func(p job.Photo) (bool, error) {
		if p.Row.State != job.StateFailed && p.Row.State != job.StateExpired {
			return false, nil
		}
		done, err := s.retry(ctx, call, p)
		if done {
			answer.Retried++
			answer.Causes.add(p)
			answer.Name = ofOne(answer.Retried, p)
		}
		return done, err
	}, "Only a photo that failed or expired can be tried again, and that of a batch only while its batch is there.")
	answer.Causes = answer.Causes.sorted()
	return answer, err
}

func (s *Service) retry(ctx context.Context, call command.Call, p job.Photo) (bool, error) {
	if call.DryRun {
		return true, nil
	}
	changed, err := s.store.Reopen(ctx, p.ID)
	if err != nil || !changed {
		return false, err
	}
	s.queue.Announce(ctx, p.ID, jobqueue.StageReopened, by(call.By))
	if p.BatchID != (uuid.UUID{}) {
		return true, nil // it waits for its turn among its owner's others
	}
	again, err := s.store.Find(ctx, p.ID)
	if err == nil {
		s.handOver(ctx, again)
	}
	return true, err
}

// ofOne is the name of the first photo of those that a command is about; empty once there
// are more.
func ofOne(n int, p job.Photo) string {
	if n != 1 {
		return ""
	}
	return nameOf(p)
}

type cancelAnswer struct {
	Cancelled int       `json:"cancelled"`
	Name      string    `json:"name,omitempty"` // as of a retry
	Left      int       `json:"left,omitempty"` // as of a retry
	Refused   []refusal `json:"refused,omitempty"`
}

func (s *Service) cancelPhotos(ctx context.Context, call command.Call, q targets) (answer cancelAnswer, err error) {
	list, left, err := s.meantBy(ctx, q, job.StateQueued)
	if err != nil {
		return cancelAnswer{}, err
	}
	answer.Left = left
	answer.Refused, err = s.each(ctx, list, func(p job.Photo) (bool, error) {
		done, err := s.cancel(ctx, call, p)
		if done {
			answer.Cancelled++
			answer.Name = ofOne(answer.Cancelled, p)
		}
		return done, err
	}, "Only a photo that waits can be cancelled; what is in hand finishes.")
	return answer, err
}

func (s *Service) cancel(ctx context.Context, call command.Call, p job.Photo) (bool, error) {
	if call.DryRun || p.Row.State != job.StateQueued {
		return p.Row.State == job.StateQueued, nil
	}
	changed, err := s.store.Cancel(ctx, p.ID)
	if err != nil || !changed {
		return false, err
	}
	s.queue.Announce(ctx, p.ID, jobqueue.StageCancelled, by(call.By))
	if err := s.cache.Notify(ctx, p.ID); err != nil { // who waits finds the row as well
		s.tel.Log.DebugContext(ctx, "nobody notified", "photo_id", p.ID, "err", err)
	}
	return true, nil
}

// each does something for every photo of a list, and collects those for which it was
// not done.
func (s *Service) each(ctx context.Context, list ids, do func(job.Photo) (bool, error), otherwise string) ([]refusal, error) {
	var refused []refusal
	for _, id := range list {
		p, err := s.store.Find(ctx, id)
		if errors.Is(err, jobstore.ErrNotFound) {
			refused = append(refused, notThere(id))
			continue
		}
		if err != nil {
			return nil, err
		}
		done, err := do(p)
		if err != nil {
			return nil, err
		}
		if !done {
			refused = append(refused, notNow(id, otherwise))
		}
	}
	return refused, nil
}

// by is what a timeline says of who did something.
func by(asker command.Asker) any {
	return struct {
		By  string      `json:"by"`
		Via command.Via `json:"via"`
	}{asker.Name, asker.Via}
}
