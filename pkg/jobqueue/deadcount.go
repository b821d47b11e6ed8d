package jobqueue

import (
	"context"
	"fmt"
)

// DeadLetters is how many dead letters DEAD holds, of whatever reason.
func (q *Queue) DeadLetters(ctx context.Context) (int, error) {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	stream, err := q.js.Stream(ctx, StreamDead)
	if err != nil {
		return 0, fmt.Errorf("counting dead letters: %w", classify(err))
	}
	return int(stream.CachedInfo().State.Msgs), nil // of this very moment: Stream asked for it
}
