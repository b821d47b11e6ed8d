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

// remember takes over what the last leader had learned. What cannot be read is
// forgotten: the scaler is then a newcomer, who does not shrink at once.
func (s *Service) remember(ctx context.Context) memory {
	text, err := s.doors.Store.LoadScalingMemory(ctx)
	var m memory
	if err == nil && text != nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		s.tel.Log.WarnContext(ctx, "what was learned is lost", "err", err)
		return memory{}
	}
	return m
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
