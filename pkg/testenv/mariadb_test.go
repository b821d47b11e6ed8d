package testenv

import (
	"testing"

	"maskfleet/pkg/jobstore"
)

func TestMariaDBGivesEachTestItsOwnDatabase(t *testing.T) {
	t.Parallel()
	one, other := JobStore(t), JobStore(t)
	Owner(t, one)
	for want, store := range map[int]*jobstore.Store{1: one, 0: other} {
		if got, err := store.CountUsers(t.Context()); err != nil || got != want {
			t.Errorf("users: got %d, %v, want %d", got, err, want)
		}
	}
}

func TestMariaDBServerKeepsItsDataOverAKill(t *testing.T) {
	t.Parallel()
	server := NewMariaDB(t)
	store := server.JobStore(t)
	Owner(t, store)
	server.Kill()
	if err := store.Ping(t.Context()); err == nil {
		t.Error("a killed server answers")
	}
	server.Start(t)
	if got, err := store.CountUsers(t.Context()); err != nil || got != 1 {
		t.Errorf("users after the restart: got %d, %v, want 1", got, err)
	}
}
