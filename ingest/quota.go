package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

// QuotaConfig says how much one account may have at a time, so that none takes all
// the room there is.
type QuotaConfig struct {
	// Photos is how many may wait or be in work, those of batches too.
	Photos int `env:"QUOTA_PHOTOS" envDefault:"200000"`
	// Batches is how many may not have ended.
	Batches int `env:"QUOTA_BATCHES" envDefault:"100"`
	// Bodies is how many batches it may be sending to one door.
	Bodies int `env:"QUOTA_BATCH_BODIES" envDefault:"4"`
	// Uploads is how many of its upload links may be neither used nor expired.
	Uploads int `env:"QUOTA_UPLOADS" envDefault:"100000"`
}

// Validate checks the ranges.
func (c *QuotaConfig) Validate() error {
	if c.Photos < 1 || c.Batches < 1 || c.Bodies < 1 || c.Uploads < 1 {
		return errors.New("QUOTA_PHOTOS, QUOTA_BATCHES, QUOTA_BATCH_BODIES and QUOTA_UPLOADS must be above zero")
	}
	return nil
}

const (
	quotaRetryAfter = 30 * time.Second
	quotaGoodFor    = time.Second // of what was counted, for single photos
	quotaAccounts   = 10_000      // whose counts are remembered
)

// openWorkReader is MySQL as quotas see it.
type openWorkReader interface {
	OpenWork(ctx context.Context, ownerID uuid.UUID, mostPhotos int) (jobstore.OpenWork, error)
	OpenUploads(ctx context.Context, ownerID uuid.UUID, ids []uuid.UUID, goodFor time.Duration, most int) (before int, ok bool, err error)
}

// quotas refuses accounts that have as much open as they may. Requests at the same
// moment may together go a little beyond.
type quotas struct {
	cfg   QuotaConfig
	store openWorkReader

	mu     sync.Mutex // guards all below
	counts map[uuid.UUID]openCount
	bodies map[uuid.UUID]int // batches being sent; no entry for none
}

type openCount struct {
	at   time.Time
	open jobstore.OpenWork
}

func newQuotas(cfg QuotaConfig, store openWorkReader) *quotas {
	return &quotas{cfg: cfg, store: store, counts: map[uuid.UUID]openCount{}, bodies: map[uuid.UUID]int{}}
}

// admitPhoto says whether the account may have another photo. It counts at most once
// a second.
func (q *quotas) admitPhoto(ctx context.Context, owner uuid.UUID) error {
	q.mu.Lock()
	last := q.counts[owner]
	q.mu.Unlock()
	if time.Since(last.at) < quotaGoodFor {
		return q.room(last.open, 0)
	}
	open, err := q.count(ctx, owner)
	if err != nil {
		return err
	}
	return q.room(open, 0)
}

// admitBatch says whether the account may have another batch.
func (q *quotas) admitBatch(ctx context.Context, owner uuid.UUID) error {
	open, err := q.count(ctx, owner)
	if err != nil {
		return err
	}
	return q.room(open, 1)
}

// beginBody says whether the account may send the body of another batch, which it
// does until end is called.
func (q *quotas) beginBody(owner uuid.UUID) (end func(), err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bodies[owner] >= q.cfg.Bodies {
		return nil, refuseQuota("batches on their way to the server", q.cfg.Bodies)
	}
	q.bodies[owner]++
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.bodies[owner]--; q.bodies[owner] == 0 {
			delete(q.bodies, owner)
		}
	}, nil
}

// beginUploads notes links for uploads if the account may have them. Here requests at
// the same moment go nowhere beyond.
func (q *quotas) beginUploads(ctx context.Context, owner uuid.UUID, ids []uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	open, ok, err := q.store.OpenUploads(ctx, owner, ids, uploadLinkFor, q.cfg.Uploads)
	switch {
	case err != nil:
		return storeProblem("looking at an account's uploads", err)
	case !ok:
		return problem.New(http.StatusTooManyRequests, problem.CodeQuotaExceeded,
			fmt.Sprintf("This account may have %d upload links that are neither used nor expired, and has %d. No link was made; please name some in a photo or batch first, or wait until they expire.",
				q.cfg.Uploads, open)).WithRetryAfter(quotaRetryAfter)
	}
	return nil
}

func (q *quotas) count(ctx context.Context, owner uuid.UUID) (jobstore.OpenWork, error) {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	open, err := q.store.OpenWork(ctx, owner, q.cfg.Photos)
	if err != nil {
		return open, storeProblem("looking at an account's quota", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.counts) >= quotaAccounts {
		clear(q.counts)
	}
	q.counts[owner] = openCount{at: time.Now(), open: open}
	return open, nil
}

func (q *quotas) room(open jobstore.OpenWork, batches int) error {
	switch {
	case open.Photos >= q.cfg.Photos:
		return refuseQuota("photos waiting or in work", q.cfg.Photos)
	case batches > 0 && open.Batches >= q.cfg.Batches:
		return refuseQuota("batches that have not ended", q.cfg.Batches)
	}
	return nil
}

func refuseQuota(what string, most int) error {
	return problem.New(http.StatusTooManyRequests, problem.CodeQuotaExceeded,
		fmt.Sprintf("This account has %d %s, as many as it may. Nothing was stored; please wait until some have ended.", most, what)).
		WithRetryAfter(quotaRetryAfter)
}
