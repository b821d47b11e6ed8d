package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Notice is EC2's word that it wants the machine back.
type Notice struct {
	Action string    `json:"action"` // "terminate", "stop" or "hibernate"
	Time   time.Time `json:"time"`   // when; usually two minutes after the notice
}

// WatchSpot tells of every notice, once, until ctx ends. Without a metadata service it
// returns at once.
func (i *Instance) WatchSpot(ctx context.Context, log *slog.Logger, told func(context.Context, Notice)) {
	if i.metadata == nil {
		return
	}
	tick := time.NewTicker(i.watch)
	defer tick.Stop()
	var last Notice
	for {
		notice, err := i.spotNotice(ctx)
		switch {
		case errors.Is(err, errNotThere) || ctx.Err() != nil:
		case err != nil:
			log.DebugContext(ctx, "no answer about a spot notice", "err", err)
		case notice.Action != last.Action || !notice.Time.Equal(last.Time):
			last = notice
			told(ctx, notice)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (i *Instance) spotNotice(ctx context.Context) (Notice, error) {
	text, err := i.metadata.get(ctx, "spot/instance-action")
	if err != nil {
		return Notice{}, err
	}
	var n Notice
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		return Notice{}, fmt.Errorf("reading the spot notice %q: %w", text, err)
	}
	return n, nil
}
