package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// markBatch sets the tombstones of a batch and its items, and takes their results from
// the cache, which is read before MySQL. The rest is the caller's or Run's.
func (e *eraser) markBatch(ctx context.Context, id uuid.UUID) (jobstore.BatchDeletion, error) {
	b, err := e.store.FindBatch(ctx, id)
	if err != nil {
		return jobstore.BatchDeletion{}, err
	}
	gone, err := e.store.DeleteBatch(ctx, id)
	if err != nil {
		return gone, err
	}
	items := make([]job.ID, b.Counts.Total)
	for i := range items {
		items[i] = job.ItemID(id, i+1)
	}
	if err := e.cache.ForgetAll(ctx, items...); err != nil { // while Redis is away nobody reads from it
		e.log.WarnContext(ctx, "deleted batch not taken from the cache yet", "batch_id", id, "err", err)
	}
	return gone, nil
}

// eraseBatches deletes batches that are past their time, and finishes the deletion
// of those that have their tombstone: what was submitted goes first, the row goes
// last, once eraseMarked has removed the photos.
func (e *eraser) eraseBatches(ctx context.Context) error {
	past, err := e.store.BatchesPast(ctx, e.cfg.KeepBatches, erasedAtATime)
	if err != nil {
		return err
	}
	for _, id := range past {
		if _, err := e.markBatch(ctx, id); err != nil && !errors.Is(err, jobstore.ErrNotFound) {
			return err
		}
	}
	if len(past) > 0 {
		e.log.InfoContext(ctx, "batches past their time deleted", "batches", len(past))
	}
	gone, err := e.store.BatchTombstones(ctx, 0, erasedAtATime)
	if err != nil {
		return err
	}
	for _, b := range gone {
		if err := e.images.Delete(ctx, imagestore.ManifestKey(b), imagestore.ArchiveKey(b)); err != nil {
			return err
		}
		if _, err := e.store.RemoveBatch(ctx, b.ID); err != nil {
			return err
		}
	}
	return nil
}

// eraseSources removes what batches were made of once nobody will read it any more:
// the photos in an archive are otherwise kept twice, and the second time also after
// their own deletion.
func (e *eraser) eraseSources(ctx context.Context) error {
	for e.mine(ctx) {
		batches, err := e.store.BatchesWithSource(ctx, erasedAtATime)
		if err != nil || len(batches) == 0 {
			return err
		}
		for _, b := range batches {
			if err := e.images.Delete(ctx, imagestore.ManifestKey(b), imagestore.ArchiveKey(b)); err != nil {
				return err
			}
			if err := e.store.SourceRemoved(ctx, b.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweepStray removes what was submitted for batches and is of no use any more:
// uploads by signed link that no photo came of, and manifests and archives
// of batches without a row. An upload may wait for its batch as long as a window is.
func (e *eraser) sweepStray(ctx context.Context, page []imagestore.Object) error {
	var stray []string
	batches := map[uuid.UUID][]string{}
	var ids []uuid.UUID
	for _, o := range page {
		if time.Since(o.ModifiedAt) < 2*e.cfg.OrphanAge {
			continue
		}
		if imagestore.IsUpload(o.Key) {
			stray = append(stray, o.Key)
		}
		if id, ok := imagestore.BatchOf(o.Key); ok {
			if batches[id] == nil {
				ids = append(ids, id)
			}
			batches[id] = append(batches[id], o.Key)
		}
	}
	there, err := e.store.BatchesThere(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !there[id] {
			stray = append(stray, batches[id]...)
		}
	}
	if len(stray) == 0 {
		return nil
	}
	e.log.InfoContext(ctx, "stray objects of batches removed", "objects", len(stray))
	return e.images.Delete(ctx, stray...)
}
