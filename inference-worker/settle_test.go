package inferenceworker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

func TestMayRetry(t *testing.T) {
	t.Parallel()
	death := &job.Failure{Code: job.CodeDecoderCrashed, SlotDeath: true}
	cases := []struct {
		name    string
		row     job.Row
		failure *job.Failure
		want    bool
	}{
		{"passing trouble, attempts left", job.Row{Attempts: 1}, job.Fail(job.CodeInternal, nil), true},
		{"passing trouble, last attempt", job.Row{Attempts: job.MaxAttempts}, job.Fail(job.CodeInternal, nil), false},
		{"the photo is at fault", job.Row{Attempts: 1}, job.Fail(job.CodeDecodeFailed, nil), false},
		{"first slot it killed", job.Row{Attempts: 1}, death, true},
		{"second slot it killed", job.Row{Attempts: 2, SlotDeaths: 1}, death, false},
		{"one slot killed, then other trouble", job.Row{Attempts: 2, SlotDeaths: 1}, job.Fail(job.CodeFetchStatus, nil), true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := mayRetry(c.row, c.failure); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}

// TestAStoreThatLetsNobodyInIsAway: wrong or expired keys must not cost every photo
// all its attempts.
func TestAStoreThatLetsNobodyInIsAway(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		jobstore.ErrUnavailable: true, imagestore.ErrUnavailable: true, imagestore.ErrDenied: true, imagestore.ErrNoBucket: true,
		imagestore.ErrNotFound: false, imagestore.ErrTooLarge: false, jobstore.ErrNotFound: false,
	} {
		if got := unavailable(fmt.Errorf("fetch: %w", err)); got != want {
			t.Errorf("%v: got %t, want %t", err, got, want)
		}
	}
}

func TestRetryDelayGrowsFourfoldWithinAFifth(t *testing.T) {
	t.Parallel()
	w := &Worker{cfg: Config{RetryBase: 2 * time.Second}}
	for attempts, want := range map[int]time.Duration{1: 2 * time.Second, 2: 8 * time.Second, 4: 128 * time.Second} {
		for range 100 {
			got := w.retryDelay(attempts)
			if got < want*8/10 || got > want*12/10 {
				t.Fatalf("after %d attempts: got %s, want %s give or take a fifth", attempts, got, want)
			}
		}
	}
}

func TestTurnsFavourInteractiveAndStarveNobody(t *testing.T) {
	t.Parallel()
	first := map[job.Lane]int{}
	for _, order := range turns() {
		first[order[0]]++
		sorted := slices.Sorted(slices.Values(order))
		if want := slices.Sorted(slices.Values(job.Lanes())); !slices.Equal(sorted, want) {
			t.Errorf("turn %v does not ask every lane once", order)
		}
	}
	for _, lane := range job.Lanes() {
		if first[lane] == 0 {
			t.Errorf("lane %s is never asked first", lane)
		}
		if lane != job.LaneInteractive && first[lane] >= first[job.LaneInteractive] {
			t.Errorf("lane %s is asked first as often as interactive: %v", lane, first)
		}
	}
}

func TestParseCPU(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, line  string
		busy, total uint64
	}{
		{"as Linux writes it", "cpu  10 1 5 100 4 2 3 1 9 9", 22, 126},
		{"old kernel", "cpu 10 1 5 100", 16, 116},
		{"another line", "intr 1 2 3 4 5", 0, 0},
		{"not numbers", "cpu a b c d e", 0, 0},
		{"empty", "", 0, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if busy, total := parseCPU(c.line); busy != c.busy || total != c.total {
				t.Errorf("got %d of %d, want %d of %d", busy, total, c.busy, c.total)
			}
		})
	}
}
