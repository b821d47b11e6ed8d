package manager

import (
	"context"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
)

// historyTimeout is for the first look: a half hour of a thousand instances.
const historyTimeout = time.Minute

// fleetBoard are the readings of the pages about the fleet.
type fleetBoard struct {
	scaler    *gauge[scalerStatus]
	instances *gauge[fleetList]
	history   *gauge[trends]
	changes   *gauge[[]jobstore.ScalingDecision] // of the last half hour that wanted another size
	inHand    *gauge[map[string]workerStatus]
	asked     *asked // whose work in hand somebody looks at

	departures *gauge[map[string]jobqueue.Departure]
	left       *asked // instances that somebody looks at and that are not there
}

func newFleetBoard(b *board, s *Service) fleetBoard {
	often := s.cfg.Reading.LiveInterval
	f := fleetBoard{asked: newAsked(), left: newAsked()}
	f.scaler = gaugeOf(b, s, "scaler", often, s.readScaler)
	f.instances = gaugeOf(b, s, "instances", min(instancesEvery, 2*often), s.readInstances)
	f.history = gaugeOf(b, s, "history", min(historyEvery, 5*often), newHistory(s.queue).read)
	f.history.timeout = historyTimeout
	f.changes = gaugeOf(b, s, "changes of the size", min(historyEvery, 5*often), func(ctx context.Context) ([]jobstore.ScalingDecision, error) {
		const most = 200
		return s.store.ListDecisions(ctx, jobstore.DecisionFilter{Since: time.Now().UTC().Add(-chartSpan), Changes: true, Limit: most})
	})
	f.inHand = gaugeOf(b, s, "work in hand", often, func(ctx context.Context) (map[string]workerStatus, error) {
		return s.readInHand(ctx, f.asked.lately(time.Now()))
	})
	f.departures = gaugeOf(b, s, "departures", min(departuresEvery, 5*often), func(ctx context.Context) (map[string]jobqueue.Departure, error) {
		return s.readDepartures(ctx, f.left.lately(time.Now()))
	})
	return f
}
