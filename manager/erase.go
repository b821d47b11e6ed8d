package manager

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

const (
	eraseEvery = time.Second
	eraseLease = 30 * time.Second // in MySQL: another manager goes on after it
)

// runErasures does what data.erase wrote down, until ctx ends: it sets tombstones, from
// which on nobody finds the photos, and watches while the front doors remove what is
// stored of them. Interrupted anywhere it goes on, here or at another manager, for every
// step may be done twice.
func (s *Service) runErasures(ctx context.Context) error {
	holder := uuid.NewString()
	tick := time.NewTicker(eraseEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		e, err := s.store.TakeErasure(ctx, holder, eraseLease)
		if err == nil {
			err = s.goOnErasing(ctx, e, holder)
		}
		if err != nil && !errors.Is(err, jobstore.ErrNotFound) && ctx.Err() == nil {
			s.tel.Log.DebugContext(ctx, "erasure does not go on", "err", err)
		}
	}
}

// goOnErasing marks some, counts what is left, and says so.
func (s *Service) goOnErasing(ctx context.Context, e jobstore.Erasure, holder string) error {
	var report eraseReport
	if err := json.Unmarshal(e.Document, &report); err != nil {
		return err
	}
	more, err := s.markSome(ctx, e, &report)
	report.Trouble = ""
	if err != nil {
		report.Trouble = "A store does not answer; it goes on when that is back."
		s.tel.Log.WarnContext(ctx, "erasure waits", "erasure_id", e.ID, "err", err)
	}
	photos, batches, countErr := s.store.LeftOf(ctx, e)
	if countErr != nil {
		return countErr
	}
	report.Left = photos + batches
	done := err == nil && !more && report.Left == 0
	if done {
		report.Remains = remains()
	}
	document, err := json.Marshal(report)
	if err != nil {
		return err
	}
	if done { // on record before it is done, for nobody comes back to it then
		if err := s.recordErasure(ctx, e, document); err != nil {
			return err
		}
		s.tel.Log.InfoContext(ctx, "erasure done", "erasure_id", e.ID, "photos", report.Marked)
	}
	return s.store.SaveErasure(ctx, e.ID, holder, eraseLease, document, done)
}

// markSome sets tombstones for a part of the lease, and says whether there is more.
func (s *Service) markSome(ctx context.Context, e jobstore.Erasure, report *eraseReport) (more bool, err error) {
	until := time.Now().Add(eraseLease / 3)
	for time.Now().Before(until) {
		batches, err := s.store.BatchesToErase(ctx, e, 1)
		if err != nil {
			return true, err
		}
		if len(batches) == 1 {
			if err := s.markBatch(ctx, batches[0], report); err != nil {
				return true, err
			}
			continue
		}
		n, err := s.markPhotos(ctx, e, report)
		if err != nil || n == 0 {
			return err != nil, err
		}
	}
	return true, nil
}

func (s *Service) markBatch(ctx context.Context, id uuid.UUID, report *eraseReport) error {
	b, err := s.store.FindBatch(ctx, id)
	if errors.Is(err, jobstore.ErrNotFound) {
		return nil // another was first
	}
	if err != nil {
		return err
	}
	if err := s.dropLetters(ctx, jobstore.Search{BatchID: id, States: []job.State{job.StateFailed}}, report); err != nil {
		return err
	}
	gone, err := s.store.DeleteBatch(ctx, id)
	if err != nil && !errors.Is(err, jobstore.ErrNotFound) {
		return err
	}
	report.Batches, report.Marked = report.Batches+1, report.Marked+gone.Items
	items := make([]job.ID, b.Counts.Total)
	for i := range items {
		items[i] = job.ItemID(id, i+1)
	}
	return s.cache.ForgetAll(ctx, items...)
}

// dropLetters takes the dead letters of what is found out of DEAD, before its rows are
// gone by which they are known.
func (s *Service) dropLetters(ctx context.Context, of jobstore.Search, report *eraseReport) error {
	of.Limit = erasedAtATime
	for {
		ids, err := s.store.SearchIDs(ctx, of)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := s.queue.DiscardDeadLetters(ctx, "", id.String()); err != nil {
				return err
			}
		}
		report.Letters += len(ids)
		of.After = ids[len(ids)-1]
	}
}

func (s *Service) markPhotos(ctx context.Context, e jobstore.Erasure, report *eraseReport) (int, error) {
	search := e.Search()
	search.Limit = erasedAtATime
	ids, err := s.store.SearchIDs(ctx, search)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	if err := s.dropLetters(ctx, jobstore.Search{IDs: ids, States: []job.State{job.StateFailed}}, report); err != nil {
		return 0, err
	}
	for _, id := range ids {
		if _, err := s.store.Delete(ctx, id); err != nil {
			return 0, err
		}
		report.Marked++
	}
	return len(ids), s.cache.ForgetAll(ctx, ids...)
}

// recordErasure puts the report into the audit log.
func (s *Service) recordErasure(ctx context.Context, e jobstore.Erasure, report []byte) error {
	return s.record(ctx, jobstore.Audit{
		Actor: e.AskedBy, Action: "data.erased", Subject: e.Words,
		Detail: map[string]string{"via": e.Via, "outcome": "done", "erasure": e.ID.String(), "report": string(report)},
	})
}

// record puts into the audit log what the manager did by itself, now.
func (s *Service) record(ctx context.Context, a jobstore.Audit) (err error) {
	a.At = time.Now().UTC()
	if a.ID, err = uuid.NewV7(); err != nil {
		return err
	}
	return s.store.RecordAudit(ctx, a)
}
