package ingest

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/lifecycle"
	"maskfleet/pkg/webhook"
	"maskfleet/pkg/webhook/poster"
)

const (
	// turn is how long an endpoint that takes every message keeps its place, and how
	// old what is known of it can get.
	turn = 5 * time.Second
	// sendGrace is how long a stopping door waits for tries under way.
	sendGrace      = 5 * time.Second
	recordTimeout  = 5 * time.Second
	forgetInterval = 10 * time.Minute
)

// deliverer posts what the ends of photos and batches have written down. It may run in
// every door at once: a delivery is claimed by one. Of a try whose outcome could not be
// recorded nobody knows; it is made again, with the same webhook-id.
type deliverer struct {
	store   *jobstore.Store
	poster  *poster.Poster
	cfg     WebhookConfig
	site    string // that links lead to
	log     *slog.Logger
	metrics *webhookMetrics
	wake    chan struct{}

	mu   sync.Mutex         // guards busy
	busy map[uuid.UUID]bool // endpoints to which this door is posting
}

type webhookMetrics struct {
	attempts *prometheus.CounterVec
	duration prometheus.Histogram
	busy     prometheus.Gauge
}

func newDeliverer(store *jobstore.Store, cfg WebhookConfig, site string, log *slog.Logger, registerer prometheus.Registerer) (*deliverer, error) {
	out, err := poster.New(cfg.Post)
	if err != nil {
		return nil, err
	}
	d := &deliverer{
		store: store, poster: out, cfg: cfg, site: site, log: log,
		wake: make(chan struct{}, 1), busy: map[uuid.UUID]bool{},
		metrics: &webhookMetrics{
			attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
				Name: "maskfleet_ingest_webhook_attempts_total", Help: "Tries to deliver a webhook, by what followed.",
			}, []string{"outcome"}),
			duration: prometheus.NewHistogram(prometheus.HistogramOpts{
				Name: "maskfleet_ingest_webhook_attempt_duration_seconds", Help: "Time of one try to deliver a webhook.",
				Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30},
			}),
			busy: prometheus.NewGauge(prometheus.GaugeOpts{
				Name: "maskfleet_ingest_webhook_endpoints_busy", Help: "Endpoints to which webhooks are being posted.",
			}),
		},
	}
	for _, outcome := range []string{"delivered", "retrying", "failed", "disabled"} {
		d.metrics.attempts.WithLabelValues(outcome)
	}
	registerer.MustRegister(d.metrics.attempts, d.metrics.duration, d.metrics.busy)
	return d, nil
}

// poke makes Run look at once.
func (d *deliverer) poke() {
	select {
	case d.wake <- struct{}{}:
	default: // it is about to look
	}
}

// Run delivers until ctx ends, and then finishes what is under way.
func (d *deliverer) Run(ctx context.Context) error {
	sending, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)
	defer context.AfterFunc(ctx, func() {
		time.AfterFunc(sendGrace, func() { giveUp(lifecycle.ErrStopping) })
	})()
	var turns sync.WaitGroup
	defer d.poster.Close()
	defer turns.Wait()
	tick := time.NewTicker(d.cfg.Interval)
	defer tick.Stop()
	var forgot time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-d.wake:
		}
		if err := d.look(ctx, sending, &turns); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "webhooks not looked at", "err", err)
		}
		if time.Since(forgot) > forgetInterval {
			forgot = time.Now()
			if err := d.forget(ctx); err != nil && ctx.Err() == nil {
				d.log.WarnContext(ctx, "old webhook deliveries not forgotten", "err", err)
			}
		}
	}
}

// look gives every endpoint that has something due its turn, if it has none yet and a
// place is free. A dead endpoint takes up its own place and nobody else's.
func (d *deliverer) look(ctx, sending context.Context, turns *sync.WaitGroup) error {
	due, err := d.store.WebhooksDue(ctx, 2*d.cfg.Endpoints) // some of them have their turn
	if err != nil {
		return err
	}
	for _, w := range due {
		if d.begin(w.ID) {
			turns.Go(func() {
				took := d.serve(ctx, sending, w)
				d.end(w.ID)
				if took {
					d.poke() // there may be more
				}
			})
		}
	}
	return nil
}

// begin takes a place for the endpoint.
func (d *deliverer) begin(endpoint uuid.UUID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[endpoint] || len(d.busy) >= d.cfg.Endpoints {
		return false
	}
	d.busy[endpoint] = true
	d.metrics.busy.Set(float64(len(d.busy)))
	return true
}

func (d *deliverer) end(endpoint uuid.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.busy, endpoint)
	d.metrics.busy.Set(float64(len(d.busy)))
}

// serve posts to one endpoint what is due, a few messages at a time, as long as it
// takes some of them and others can wait. It says whether it took any.
func (d *deliverer) serve(ctx, sending context.Context, w jobstore.Webhook) (took bool) {
	for began := time.Now(); ctx.Err() == nil && time.Since(began) < turn; {
		claimed, err := d.store.ClaimDeliveries(ctx, w.ID, d.cfg.Concurrency, d.cfg.Post.Timeout+d.cfg.ClaimMargin)
		if err != nil {
			if ctx.Err() == nil {
				d.log.WarnContext(ctx, "webhook deliveries not claimed", "webhook_id", w.ID, "err", err)
			}
			return took
		}
		if !d.sendAll(sending, w, claimed) {
			return took
		}
		took = true
	}
	return took
}

// sendAll tries every delivery at once, and says whether any was taken.
func (d *deliverer) sendAll(ctx context.Context, w jobstore.Webhook, claimed []jobstore.Delivery) bool {
	var taken atomic.Bool
	var all sync.WaitGroup
	for _, delivery := range claimed {
		all.Go(func() {
			if d.send(ctx, w, delivery) {
				taken.Store(true)
			}
		})
	}
	all.Wait()
	return taken.Load()
}

// send tries one delivery once and records how it went.
func (d *deliverer) send(ctx context.Context, w jobstore.Webhook, delivery jobstore.Delivery) (taken bool) {
	log := d.log.With("webhook_id", w.ID, "delivery_id", delivery.ID, "event", delivery.Event.Type)
	a, err := d.post(ctx, w, delivery)
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err != nil && ctx.Err() != nil {
		if _, err := d.store.ReleaseDelivery(recording, delivery); err != nil {
			log.WarnContext(ctx, "webhook delivery not released; it is due again when its time is over", "err", err)
		}
		return false
	}
	if err != nil {
		a = poster.Attempt{At: time.Now().UTC(), Fault: poster.FaultUnsent, Cause: err}
	}
	outcome := d.outcome(delivery, a)
	changed, err := d.store.RecordAttempt(recording, delivery, jobstore.Attempt{
		At: a.At, Took: a.Took, Status: a.Status, Answer: a.Answer, Fault: string(a.Fault),
	}, outcome)
	d.metrics.duration.Observe(a.Took.Seconds())
	switch {
	case err != nil:
		log.WarnContext(ctx, "webhook attempt not recorded; it is made again", "status", a.Status, "err", err)
		return false
	case !changed:
		log.WarnContext(ctx, "webhook delivery was another's by the time of its answer", "status", a.Status)
		return false
	}
	d.tell(ctx, log, a, outcome)
	return a.Succeeded()
}

func (d *deliverer) post(ctx context.Context, w jobstore.Webhook, delivery jobstore.Delivery) (poster.Attempt, error) {
	body, err := delivery.Event.Body(d.site)
	if err != nil {
		return poster.Attempt{}, err
	}
	return d.poster.Post(ctx, poster.Message{URL: w.URL, Secrets: w.Secrets(), ID: delivery.ID.String(), Body: body})
}

// outcome says what follows from a try.
func (d *deliverer) outcome(delivery jobstore.Delivery, a poster.Attempt) jobstore.Outcome {
	failed := jobstore.Outcome{State: jobstore.DeliveryFailed}
	switch {
	case a.Succeeded():
		return jobstore.Outcome{State: jobstore.DeliveryDelivered}
	case a.Gone():
		failed.Disable = true
		return failed
	case delivery.Event.Type == webhook.Test: // a person looks on, and can ask again
		return failed
	}
	wait, again := webhook.Wait(d.cfg.Post.Retries, delivery.Tries+1)
	if !again {
		return failed
	}
	return jobstore.Outcome{State: jobstore.DeliveryWaiting, Wait: wait}
}

// tell counts and logs a try.
func (d *deliverer) tell(ctx context.Context, log *slog.Logger, a poster.Attempt, o jobstore.Outcome) {
	switch {
	case o.Disable:
		d.metrics.attempts.WithLabelValues("disabled").Inc()
		log.WarnContext(ctx, "webhook disabled: its endpoint is gone")
	case o.State == jobstore.DeliveryDelivered:
		d.metrics.attempts.WithLabelValues("delivered").Inc()
		log.DebugContext(ctx, "webhook delivered", "status", a.Status, "took", a.Took)
	case o.State == jobstore.DeliveryWaiting:
		d.metrics.attempts.WithLabelValues("retrying").Inc()
		log.InfoContext(ctx, "webhook not delivered yet", "status", a.Status, "fault", a.Fault, "retry_in", o.Wait, "err", a.Cause)
	default:
		d.metrics.attempts.WithLabelValues("failed").Inc()
		log.WarnContext(ctx, "webhook not delivered", "status", a.Status, "fault", a.Fault, "err", a.Cause)
	}
}

// forget removes deliveries from the log that are too old.
func (d *deliverer) forget(ctx context.Context) error {
	for {
		if n, err := d.store.ForgetDeliveries(ctx, d.cfg.KeepLog); err != nil || n == 0 {
			return err
		}
	}
}
