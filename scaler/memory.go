package scaler

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"maskfleet/scaler/decide"
)

// memory is what a scaler hands to the next one.
type memory struct {
	History decide.History  `json:"history"`
	Boots   []time.Duration `json:"boots"` // measured of late
}

// rememberAgain is how long a store that is away is left alone.
const rememberAgain = time.Second

// remember takes over what the last leader had learned, and waits for it until ctx ends:
// a memory that is begun anew would soon take the place of the one that is there. What
// cannot be understood is forgotten: the scaler is then a newcomer, who does not shrink
// at once.
func (s *Service) remember(ctx context.Context) (m memory, _ error) {
	text, err := s.doors.Store.LoadScalingMemory(ctx)
	for err != nil {
		s.tel.Log.WarnContext(ctx, "what was learned is not known yet", "err", err)
		select {
		case <-ctx.Done():
			return memory{}, fmt.Errorf("remembering: %w", ctx.Err())
		case <-time.After(rememberAgain):
		}
		text, err = s.doors.Store.LoadScalingMemory(ctx)
	}
	if text == nil {
		return memory{}, nil
	}
	if err := json.Unmarshal(text, &m); err != nil {
		s.tel.Log.WarnContext(ctx, "what was learned is lost", "err", err)
		return memory{}, nil
	}
	return m, nil
}

func (s *Service) save(ctx context.Context, epoch uint64, m memory) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("saving what was learned: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ReadTimeout)
	defer cancel()
	return s.doors.Store.SaveScalingMemory(ctx, epoch, text)
}
