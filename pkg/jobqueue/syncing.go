package jobqueue

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Syncing is when the broker has what it took on its disk, past a loss of power.
type Syncing struct {
	Always bool          // before it says that it took it
	Every  time.Duration // otherwise
}

// ReadSyncing asks the broker's monitor, such as http://127.0.0.1:8222: nothing that
// the broker says on a connection tells it.
func ReadSyncing(ctx context.Context, monitor string) (Syncing, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(monitor, "/")+"/jsz", http.NoBody)
	if err != nil {
		return Syncing{}, fmt.Errorf("asking the broker's monitor: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return Syncing{}, fmt.Errorf("asking the broker's monitor: %w: %w", ErrUnavailable, err)
	}
	defer response.Body.Close()
	var said struct {
		Config struct {
			Always bool          `json:"sync_always"`
			Every  time.Duration `json:"sync_interval"`
		} `json:"config"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, response.Body, maxMessageBytes)).Decode(&said); err != nil {
		return Syncing{}, fmt.Errorf("asking the broker's monitor: status %d: %w", response.StatusCode, err)
	}
	return Syncing{Always: said.Config.Always, Every: said.Config.Every}, nil
}

// Clock says by how much the broker's clock is ahead of ours.
func (q *Queue) Clock(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	now, err := q.brokerTime(ctx, StreamJobs)
	if err != nil {
		return 0, fmt.Errorf("reading the broker's clock: %w", err)
	}
	return now.Sub(began) - time.Since(began)/2, nil
}
