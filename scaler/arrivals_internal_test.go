package scaler

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"
)

// book is what MySQL would say.
type book map[uuid.UUID]int

func (book) CountSingles(context.Context, time.Time, time.Time) (int, error) { return 0, nil }

func (b book) BatchTotals(context.Context, time.Time) (map[uuid.UUID]int, error) {
	return maps.Clone(b), nil
}

// TestARetriedBatchDoesNotArriveAgain: it ends, is seen no more, and is open again with
// all its items when one of them is retried.
func TestARetriedBatchDoesNotArriveAgain(t *testing.T) {
	t.Parallel()
	old := uuid.Must(uuid.NewV7())
	for n, millis := 5, time.Now().Add(-time.Hour).UnixMilli(); n >= 0; n, millis = n-1, millis>>8 {
		old[n] = byte(millis)
	}
	young := uuid.Must(uuid.NewV7())
	there := book{old: 100}
	a := arrivals{store: there}
	for n, step := range []struct {
		change func()
		want   float64
	}{
		{func() {}, 0},
		{func() { there[old] = 150 }, 50},
		{func() { delete(there, old) }, 50},
		{func() { there[old] = 150 }, 50}, // retried
		{func() { there[young] = 7 }, 57},
	} {
		step.change()
		if got, err := a.read(t.Context()); err != nil || got != step.want {
			t.Errorf("step %d: %g, %v, want %g", n, got, err, step.want)
		}
	}
}
