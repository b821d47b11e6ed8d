package jobstore_test

import (
	"errors"
	"testing"
	"time"

	"maskfleet/pkg/jobstore"
)

// TestServerEndsWhatTakesTooLong: a statement does not outlive who waited for it.
func TestServerEndsWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	began := time.Now()
	err := config.SleepAtMost(t.Context(), 100*time.Millisecond, 40*time.Second)
	if !errors.Is(err, jobstore.ErrUnavailable) || time.Since(began) > 35*time.Second {
		t.Errorf("a long statement ended with %v after %s", err, time.Since(began))
	}
	seconds, err := store.StatementLimitOf(t.Context())
	if err != nil || seconds != jobstore.StatementLimit.Seconds() {
		t.Errorf("the store's statements may take %g s, %v", seconds, err)
	}
}
