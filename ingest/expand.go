package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// ExpanderConfig is how batches are turned into photos.
type ExpanderConfig struct {
	// Interval is how often the expander looks for a batch.
	Interval time.Duration `env:"EXPANDER_INTERVAL" envDefault:"500ms"`
	// AtOnce is how many batches one door expands at a time, each of another owner.
	AtOnce int `env:"EXPANDER_AT_ONCE" envDefault:"3"`
	// Lease is how long a batch whose expander died is left alone.
	Lease time.Duration `env:"EXPANDER_LEASE" envDefault:"30s"`
	// MaxUnpackedRatio is how many times its size an archive may unpack to.
	MaxUnpackedRatio int64 `env:"ARCHIVE_MAX_UNPACKED_RATIO" envDefault:"200"`
}

// Validate checks the ranges.
func (c *ExpanderConfig) Validate() error {
	if c.MaxUnpackedRatio < 1 || c.AtOnce < 1 {
		return errors.New("ARCHIVE_MAX_UNPACKED_RATIO and EXPANDER_AT_ONCE must be at least 1")
	}
	return errors.Join(positive("EXPANDER_INTERVAL", c.Interval), positive("EXPANDER_LEASE", c.Lease))
}

const (
	maxExpansions = 5               // of one batch that end without a word, as by a crash
	storeAwayWait = 2 * time.Second // before a batch is begun again
	giveUpTimeout = 3 * time.Second
	itemsAtOnce   = 100 // in one statement
	putsAtOnce    = 8   // originals on their way to S3
)

// errLeaseLost ends the expansion of a batch that another has now, or that was
// cancelled or deleted meanwhile.
var errLeaseLost = errors.New("the batch is no longer ours to expand")

// expander turns batches into photos: it checks every line, and only then stores the
// items. It does a few at once, so that one owner's large archive keeps no other owner
// waiting, and may run in every door at once; a batch's row says who has it. Whoever
// dies over a batch leaves a whole number of chunks behind, and the next goes on
// after the last.
type expander struct {
	store   *jobstore.Store
	images  *imagestore.Store
	cfg     ExpanderConfig
	limits  itemLimits
	memory  *budget // of the door's uploads, too
	log     *slog.Logger
	outcome *prometheus.CounterVec
	items   prometheus.Counter
}

// itemLimits are those of BatchConfig and of photos.
type itemLimits struct {
	items int
	photo int64 // bytes
}

func newExpander(doors Doors, cfg ExpanderConfig, limits itemLimits, memory *budget, log *slog.Logger, registerer prometheus.Registerer) *expander {
	e := &expander{
		store: doors.Store, images: doors.Images, cfg: cfg, limits: limits, memory: memory, log: log,
		outcome: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "maskfleet_ingest_batches_total",
			Help: "Batches by what came of expanding them.",
		}, []string{"outcome"}),
		items: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "maskfleet_ingest_batch_items_total",
			Help: "Photos accepted as items of batches.",
		}),
	}
	registerer.MustRegister(e.outcome, e.items)
	for _, o := range []string{"expanded", "refused", "interrupted"} {
		e.outcome.WithLabelValues(o)
	}
	return e
}

// Run expands batches until ctx ends, and returns once none is in hand any more.
func (e *expander) Run(ctx context.Context) error {
	tick := time.NewTicker(e.cfg.Interval)
	defer tick.Stop()
	ended, running := make(chan struct{}), 0
	for {
		select {
		case <-ctx.Done():
			for ; running > 0; running-- {
				<-ended
			}
			return nil
		case <-tick.C:
		case <-ended: // the place is free, and it may be another batch's turn
			running--
		}
		for running < e.cfg.AtOnce && ctx.Err() == nil {
			x, ok, err := e.lease(ctx)
			if err != nil && ctx.Err() == nil {
				e.log.WarnContext(ctx, "no look for batches", "err", err)
			}
			if err != nil || !ok {
				break
			}
			running++
			go func() {
				defer func() { ended <- struct{}{} }()
				e.settle(ctx, x, e.expand(ctx, x))
			}()
		}
	}
}

// lease takes the next batch. Its holder is this expansion alone: a door that was too
// slow to keep a lease must not take itself for who has it now.
func (e *expander) lease(ctx context.Context) (jobstore.Expansion, bool, error) {
	return e.store.LeaseExpansion(ctx, uuid.NewString(), e.cfg.Lease)
}

// expand does all of a batch, or the rest that another left.
func (e *expander) expand(ctx context.Context, x jobstore.Expansion) error {
	if x.Tries > maxExpansions {
		return &job.BatchFailure{Code: job.BatchCodeInternal, Message: "The batch could not be read. Please submit it again."}
	}
	ctx, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	defer e.keep(ctx, x, lost)()
	source, closeSource, err := e.open(ctx, x.Batch)
	if err == nil {
		defer closeSource()
		if err = e.check(ctx, source); err == nil {
			err = e.insert(ctx, x, source)
		}
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// keep renews the lease until the returned function is called.
func (e *expander) keep(ctx context.Context, x jobstore.Expansion, lost context.CancelCauseFunc) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(e.cfg.Lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			held, err := e.store.KeepExpansion(ctx, x.Batch.ID, x.Holder, e.cfg.Lease)
			if err == nil && !held {
				lost(errLeaseLost)
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// settle writes what came of an expansion.
func (e *expander) settle(ctx context.Context, x jobstore.Expansion, err error) {
	stopping := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpTimeout)
	defer cancel()
	log := e.log.With("batch_id", x.Batch.ID, "try", x.Tries)
	var refused *job.BatchFailure
	switch {
	case err == nil:
		e.outcome.WithLabelValues("expanded").Inc()
		log.InfoContext(ctx, "batch expanded")
		return
	case errors.Is(err, errLeaseLost):
		log.InfoContext(ctx, "batch left to another", "err", err)
		return
	case errors.As(err, &refused):
		e.outcome.WithLabelValues("refused").Inc()
		log.InfoContext(ctx, "batch refused", "err", err)
		if _, err := e.store.RefuseBatch(ctx, x.Batch.ID, x.Holder, refused); err != nil {
			log.WarnContext(ctx, "batch not refused yet", "err", err)
		}
		return
	}
	e.outcome.WithLabelValues("interrupted").Inc()
	after := storeAwayWait
	switch {
	case stopping:
		after = 0
	case errors.Is(err, jobstore.ErrUnavailable), errors.Is(err, imagestore.ErrUnavailable):
		log.WarnContext(ctx, "batch put off", "err", err)
	default: // it counts as a try, or it might go on for ever
		log.ErrorContext(ctx, "batch not expanded", "err", err)
		return
	}
	if _, err := e.store.ReleaseExpansion(ctx, x.Batch.ID, x.Holder, after); err != nil {
		log.WarnContext(ctx, "batch not given back", "err", err)
	}
}

// open finds the items of a batch, in whatever form they came.
func (e *expander) open(ctx context.Context, b job.Batch) (itemSource, func(), error) {
	nothing := func() {}
	switch b.Source {
	case job.BatchFromManifest:
		return &manifest{images: e.images, batch: b, maxPhoto: e.limits.photo}, nothing, nil
	case job.BatchFromPrefix:
		if err := e.listPrefix(ctx, b); err != nil {
			return nil, nothing, err
		}
		b.SourceKey = imagestore.ManifestKey(b)
		return &manifest{images: e.images, batch: b, maxPhoto: e.limits.photo}, nothing, nil
	case job.BatchFromArchive:
		return openArchive(ctx, e.images, b, e.cfg.MaxUnpackedRatio, e.limits)
	}
	return nil, nothing, fmt.Errorf("batch %s comes from %q, which nobody knows", b.ID, b.Source)
}
