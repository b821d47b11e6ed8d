package jobstore_test

import (
	"errors"
	"testing"
	"time"

	"maskfleet/pkg/jobstore"
)

func TestTheLastSweepIsTold(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	if _, err := store.LastSweep(t.Context()); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("before the first: %v", err)
	}
	raw := rawDB(t, config)
	if _, err := raw.ExecContext(t.Context(), `INSERT INTO sweeps (swept_at, days, objects, orphans, missing) VALUES (UTC_TIMESTAMP(6) - INTERVAL 40 DAY, 9, 9, 9, 9)`); err != nil {
		t.Fatal(err)
	}
	for _, w := range []jobstore.Sweep{{Days: 1, Objects: 10}, {Days: 2, Objects: 300, Orphans: 1, Missing: 4}} {
		if err := store.WriteSweep(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	last, err := store.LastSweep(t.Context())
	if err != nil || last.Days != 2 || last.Objects != 300 || last.Orphans != 1 || last.Missing != 4 || time.Since(last.At).Abs() > time.Minute {
		t.Errorf("the last is %+v (%v)", last, err)
	}
	var kept int
	if err := raw.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM sweeps`).Scan(&kept); err != nil || kept != 2 {
		t.Errorf("%d are kept (%v), want 2: what is a month old goes", kept, err)
	}
}

func TestMySQLSaysHowItWritesAndWhatTimeItIs(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	said, err := store.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Of the tests' server, on this machine.
	if said.FlushLog != 2 || said.Clock.Abs() > 5*time.Second {
		t.Errorf("got %+v", said)
	}
}
