package scaler

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/scaler/decide"
)

const (
	// prolongEvery is how often it is stored that a decision is still the same.
	prolongEvery = 5 * time.Second
	purgeEvery   = time.Hour
	// mostUnwritten bounds what is kept while the store is away: a day of changes.
	mostUnwritten = 10_000
)

// decisionStore is MySQL as the journal sees it.
type decisionStore interface {
	WriteDecision(ctx context.Context, d jobstore.ScalingDecision) error
	PurgeDecisions(ctx context.Context, age time.Duration) error
}

// teller is the broker as whoever tells of the fleet sees it.
type teller interface {
	AnnounceFleet(ctx context.Context, what jobqueue.FleetEvent, instance string, details any)
}

// journal stores every decision. Those that follow one another and come to the same
// are one row, which says how many they were, until when, and shows the last.
type journal struct {
	store  decisionStore
	events teller
	log    *slog.Logger
	keep   time.Duration

	last      decide.Decision
	row       jobstore.ScalingDecision
	unwritten []jobstore.ScalingDecision // ended, and the store was away
	written   time.Time                  // when the row was stored last
	purged    time.Time
}

// note takes a decision. While the store is away, what ended is kept for it.
func (j *journal) note(ctx context.Context, d decide.Decision) {
	changed := j.row.Ticks == 0 || !alike(j.last, d)
	if changed {
		if !j.begin(ctx, d) {
			return
		}
		j.events.AnnounceFleet(ctx, jobqueue.EventDecision, jobqueue.Pool, d)
		j.log.InfoContext(ctx, "decided", "size", d.Size, "target", d.Target, "blind", len(d.Blind) > 0, "reason", d.Reason)
	}
	j.last = d
	j.row.EndedAt, j.row.Reason = d.At.UTC(), d.Reason
	j.row.Ticks++
	if changed || time.Since(j.written) >= prolongEvery {
		j.write(ctx)
	}
	if time.Since(j.purged) >= purgeEvery {
		j.purged = time.Now()
		if err := j.store.PurgeDecisions(ctx, j.keep); err != nil {
			j.log.WarnContext(ctx, "old decisions not forgotten", "err", err)
		}
	}
}

func (j *journal) begin(ctx context.Context, d decide.Decision) bool {
	id, err := uuid.NewV7()
	if err != nil {
		j.log.ErrorContext(ctx, "decision not named", "err", err)
		return false
	}
	if j.row.Ticks > 0 { // how it ended
		j.unwritten = append(j.unwritten, j.document(ctx))
		j.unwritten = j.unwritten[max(0, len(j.unwritten)-mostUnwritten):]
	}
	j.row = jobstore.ScalingDecision{
		ID: id, BegunAt: d.At.UTC(), Policy: string(d.Policy), Version: d.Version, Size: d.Size, Target: d.Target,
		Decided: d.Decided, Blind: len(d.Blind) > 0, Overridden: d.Override != nil,
	}
	return true
}

// write stores what is kept, then the row as far as it has come.
func (j *journal) write(ctx context.Context) {
	for _, row := range append(j.unwritten, j.document(ctx)) {
		if err := j.store.WriteDecision(ctx, row); err != nil {
			j.log.WarnContext(ctx, "decision not stored", "err", err)
			return
		}
		if len(j.unwritten) > 0 {
			j.unwritten = j.unwritten[1:]
		}
	}
	j.written = time.Now()
}

// document is the row with the last of its decisions.
func (j *journal) document(ctx context.Context) jobstore.ScalingDecision {
	text, err := json.Marshal(j.last)
	if err != nil {
		j.log.ErrorContext(ctx, "decision is no JSON", "err", err)
	}
	j.row.Document = text
	return j.row
}

// alike says whether two decisions come to the same, whatever the numbers in their
// reasons.
func alike(a, b decide.Decision) bool {
	return a.Policy == b.Policy && a.Version == b.Version && a.Size == b.Size && a.Target == b.Target &&
		a.Decided == b.Decided && (len(a.Blind) > 0) == (len(b.Blind) > 0) && sameOverride(a.Override, b.Override)
}

func sameOverride(a, b *decide.Override) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
