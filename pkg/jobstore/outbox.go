package jobstore

import (
	"context"
	"database/sql"

	"maskfleet/pkg/job"
)

// outbox is what else must stand, or not stand, together with an end: rows for
// others to find, such as webhook deliveries. Each function runs in the transaction
// of the end itself, once for every end; its error takes the end back. It sees the
// row as it is after the end and must not change photos or batches.
type outbox struct {
	photoEnded []func(context.Context, *sql.Tx, job.ID) error
	batchEnded []func(context.Context, *sql.Tx, job.Batch) error
}

// newOutbox lists who is told.
func newOutbox() outbox {
	return outbox{
		photoEnded: []func(context.Context, *sql.Tx, job.ID) error{photoEnded},
		batchEnded: []func(context.Context, *sql.Tx, job.Batch) error{batchEnded},
	}
}

func (o outbox) tellPhoto(ctx context.Context, tx *sql.Tx, id job.ID) error {
	for _, tell := range o.photoEnded {
		if err := tell(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

func (o outbox) tellBatch(ctx context.Context, tx *sql.Tx, b job.Batch) error {
	for _, tell := range o.batchEnded {
		if err := tell(ctx, tx, b); err != nil {
			return err
		}
	}
	return nil
}
