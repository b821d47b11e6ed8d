package ingest

import (
	"context"
	"time"

	"maskfleet/pkg/jobqueue"
)

// report tells what the door did, every Heartbeat until ctx ends.
func (s *Service) report(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Heartbeat)
	defer tick.Stop()
	started := time.Now().UTC()
	for {
		err := s.queue.ReportDoor(ctx, jobqueue.DoorReading{
			Instance: s.cfg.Instance.ID, StartedAt: started, Requests: s.health.Served(), Ready: s.health.Ready() == nil,
			Dispatched: s.dispatch.deed.told(), Erased: s.eraser.deed.told(),
		})
		if err != nil && ctx.Err() == nil {
			s.tel.Log.DebugContext(ctx, "reading not sent", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
