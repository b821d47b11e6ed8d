package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/cache"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
)

// EraseConfig says how long photos are kept and how often what is over is removed.
type EraseConfig struct {
	// EraseInterval is how often a door looks for photos to erase that nobody is
	// erasing, such as those whose objects could not be removed at once.
	EraseInterval time.Duration `env:"ERASE_INTERVAL" envDefault:"10s"`
	// KeepBatches is how long the photos of a batch are kept once they are finished.
	KeepBatches time.Duration `env:"KEEP_BATCHES" envDefault:"168h"`
	// KeepStaff is the same for photos that are in no batch; zero: until somebody
	// deletes them.
	KeepStaff time.Duration `env:"KEEP_STAFF" envDefault:"0"`
	// SweepInterval is how often one day of the bucket is held against the rows.
	SweepInterval time.Duration `env:"SWEEP_INTERVAL" envDefault:"1h"`
	// OrphanAge is how old an object without a row must be to be removed: one that is
	// younger may belong to a photo that is just being accepted or finished.
	OrphanAge time.Duration `env:"ORPHAN_AGE" envDefault:"24h"`
}

// Validate checks the ranges.
func (c *EraseConfig) Validate() error {
	if c.KeepStaff < 0 {
		return errors.New("KEEP_STAFF must not be below zero")
	}
	return errors.Join(positive("ERASE_INTERVAL", c.EraseInterval), positive("KEEP_BATCHES", c.KeepBatches),
		positive("SWEEP_INTERVAL", c.SweepInterval), positive("ORPHAN_AGE", c.OrphanAge))
}

const (
	erasedAtATime = 500
	eraserLease   = "eraser"
)

// erased says what a deletion removed.
type erased struct {
	Photos       int // rows, with their faces
	Objects      int // in S3
	CacheEntries int // results in Redis
	// Pending is how many photos nobody finds any more although something of them is
	// left; it is removed as soon as that is possible.
	Pending int
}

func (e *erased) add(other erased) {
	e.Photos += other.Photos
	e.Objects += other.Objects
	e.CacheEntries += other.CacheEntries
	e.Pending += other.Pending
}

// eraser removes photos: tombstone, then result in the cache and objects, then row.
// From the tombstone on nobody finds the photo; the rest may be done by any door, as
// often as it takes.
type eraser struct {
	store   *jobstore.Store
	images  *imagestore.Store
	cache   *cache.Cache
	queue   *jobqueue.Queue
	cfg     EraseConfig
	log     *slog.Logger
	holder  string // of the lease
	deed    *deed
	removed *prometheus.CounterVec
	orphans *prometheus.CounterVec
	missing prometheus.Counter
	wake    chan struct{}
	inHand  *sync.Map // ids of photos that erase is at and says what it removed of: not Run's

	swept time.Time // when a day was swept last; of Run's goroutine alone
}

func newEraser(doors Doors, cfg EraseConfig, instance string, log *slog.Logger, registerer prometheus.Registerer) *eraser {
	e := &eraser{
		store: doors.Store, images: doors.Images, cache: doors.Cache, queue: doors.Queue, cfg: cfg, log: log,
		holder: holderOn(instance), deed: &deed{}, inHand: &sync.Map{}, wake: make(chan struct{}, 1),
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "maskfleet_ingest_erased_total", Help: "What was erased with photos, by kind.",
		}, []string{"kind"}),
		orphans: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "maskfleet_ingest_orphans_total", Help: "Objects that no row names, by what was done.",
		}, []string{"action"}),
		missing: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "maskfleet_ingest_missing_objects_total", Help: "Objects that a row names and that do not exist, each time they were missed.",
		}),
	}
	for _, kind := range []string{"row", "object", "cache_entry"} {
		e.removed.WithLabelValues(kind)
	}
	for _, action := range []string{"removed", "left"} {
		e.orphans.WithLabelValues(action)
	}
	registerer.MustRegister(e.removed, e.orphans, e.missing)
	return e
}

// erase deletes those of the photos that are the owner's, and says what it removed.
// What is there no more, or is another's, counts as nothing. After an error, all or
// some of them may stand.
func (e *eraser) erase(ctx context.Context, owner uuid.UUID, ids ...job.ID) (erased, error) {
	for _, id := range ids {
		e.inHand.Store(id, true)
		defer e.inHand.Delete(id)
	}
	own, cached, err := e.mark(ctx, owner, ids)
	if err != nil {
		return erased{}, err
	}
	rows, err := e.store.FindKept(ctx, own)
	if err != nil {
		return erased{}, err
	}
	total := erased{CacheEntries: cached}
	for _, row := range rows {
		total.add(e.finish(ctx, row.Erasable()))
	}
	return total, nil
}

// mark sets the tombstones of the owner's photos, takes their results from the cache,
// and gives their ids and the number of those results. The rest is the caller's or
// Run's.
func (e *eraser) mark(ctx context.Context, owner uuid.UUID, ids []job.ID) (own []job.ID, cached int, err error) {
	if own, err = e.store.OwnIDs(ctx, owner, ids); err != nil {
		return nil, 0, err
	}
	done, err := e.store.DeleteDone(ctx, owner, own)
	if err != nil {
		return nil, 0, err
	}
	if done < len(own) {
		for _, id := range own { // what is terminal has its tombstone already
			if _, err := e.store.Delete(ctx, id); err != nil {
				return nil, 0, err
			}
		}
	}
	for _, id := range own {
		was, err := e.cache.Forget(ctx, id)
		if err != nil { // while Redis is away nobody reads from it; finish comes back
			e.log.WarnContext(ctx, "deleted photo not taken from the cache yet", "photo_id", id, "err", err)
			break
		}
		if was {
			cached++
		}
	}
	e.removed.WithLabelValues("cache_entry").Add(float64(cached))
	return own, cached, nil
}

// nudge makes Run look at once.
func (e *eraser) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// finish removes all that is kept of a photo that has its tombstone. The row goes
// last: as long as it stands, whatever could not be removed is found again.
func (e *eraser) finish(ctx context.Context, p jobstore.Erasable) erased {
	done, err := e.remove(ctx, p)
	if err != nil {
		done.Pending = 1
		e.log.WarnContext(ctx, "photo not erased yet", "photo_id", p.ID, "err", err)
	}
	e.removed.WithLabelValues("object").Add(float64(done.Objects))
	e.removed.WithLabelValues("cache_entry").Add(float64(done.CacheEntries))
	return done
}

func (e *eraser) remove(ctx context.Context, p jobstore.Erasable) (done erased, err error) {
	cached, err := e.cache.Forget(ctx, p.ID)
	if err != nil {
		return done, err
	}
	if cached {
		done.CacheEntries = 1
	}
	if done.Objects, err = e.images.DeleteUnder(ctx, imagestore.PhotoPrefix(p.Day(), p.ID)); err != nil {
		return done, err
	}
	if p.Upload != (uuid.UUID{}) { // the photo as its client put it, beside our copy
		if err := e.images.Delete(ctx, imagestore.UploadKey(p.OwnerID, p.Upload)); err != nil {
			return done, err
		}
	}
	// A message without a row would be a dead letter. A worker that is handed this
	// one refuses it, and then the row can go.
	if _, live, err := e.queue.Live(ctx, p.Lane, p.ID); err != nil || live {
		return done, errors.Join(err, errStillQueued(live))
	}
	removed, err := e.store.Remove(ctx, p.ID)
	if err != nil {
		return done, err
	}
	if removed { // else another was at it too, was quicker, and counts it
		e.deed.did(1)
		e.removed.WithLabelValues("row").Inc()
	}
	done.Photos = 1
	return done, nil
}

func errStillQueued(live bool) error {
	if !live {
		return nil
	}
	return errors.New("its message still waits for a worker")
}
