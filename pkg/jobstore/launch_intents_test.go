package jobstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

func intent(t *testing.T, epoch uint64, sequence int) jobstore.LaunchIntent {
	t.Helper()
	return jobstore.LaunchIntent{
		ID: newID(t), Epoch: epoch, Sequence: sequence, Attempt: 1, Type: "local.full", Zone: "eu-central-1a", Wanted: 3,
		ClientToken: fmt.Sprintf("maskfleet-%d-%d-1", epoch, sequence), Request: []byte(`{"user_data":"GATE=früh"}`),
	}
}

func begin(t *testing.T, s *jobstore.Store, l jobstore.LaunchIntent) uuid.UUID {
	t.Helper()
	if err := s.BeginLaunch(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	return l.ID
}

func unsettled(t *testing.T, s *jobstore.Store) (states []string) {
	t.Helper()
	launches, err := s.UnsettledLaunches(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range launches {
		states = append(states, fmt.Sprintf("%d.%d %s", l.Epoch, l.Sequence, l.State))
	}
	return states
}

func TestLaunchIntentIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	want := intent(t, 1<<63+7, 1) // an epoch is a whole uint64
	begin(t, store, want)
	got, err := store.UnsettledLaunches(t.Context())
	if err != nil || len(got) != 1 {
		t.Fatalf("got %d intents, %v, want 1", len(got), err)
	}
	want.State = jobstore.LaunchOpen
	if diff := cmp.Diff(want, got[0], cmpopts.IgnoreFields(jobstore.LaunchIntent{}, "Age")); diff != "" {
		t.Errorf("intent (-want +got):\n%s", diff)
	}
	if got[0].Age < 0 {
		t.Errorf("written down %v ago", got[0].Age)
	}
}

// kept gives what the table has of all launches, the oldest first.
func kept(t *testing.T, c jobstore.Config) (texts []string) {
	t.Helper()
	rows, err := rawDB(t, c).QueryContext(t.Context(), `
		SELECT CONCAT(epoch, '.', decision, ' ', state, ' ', COALESCE(instances, '-'), ' ', reason, IF(answered_at IS NULL, '', '.'))
		FROM launch_intents ORDER BY epoch, decision`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}

func TestLaunchIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	given, refused := begin(t, store, intent(t, 1, 1)), begin(t, store, intent(t, 1, 2))

	mustNot(t)(store.SettleLaunch(t.Context(), given)) // nobody knows its instances yet
	must(t)(store.RecordLaunch(t.Context(), given, []string{"i-1", "i-2"}))
	mustNot(t)(store.RecordLaunch(t.Context(), given, []string{"i-3"}))
	mustNot(t)(store.FailLaunch(t.Context(), given, "too late"))
	must(t)(store.FailLaunch(t.Context(), refused, strings.Repeat("ü", 1000)))
	mustNot(t)(store.RecordLaunch(t.Context(), refused, []string{"i-4"}))
	mustNot(t)(store.SettleLaunch(t.Context(), refused))

	if diff := cmp.Diff([]string{"1.1 launched"}, unsettled(t, store)); diff != "" {
		t.Errorf("unsettled (-want +got):\n%s", diff)
	}
	must(t)(store.SettleLaunch(t.Context(), given))
	mustNot(t)(store.SettleLaunch(t.Context(), given))
	if left := unsettled(t, store); len(left) != 0 {
		t.Errorf("unsettled at the end: %v", left)
	}
	want := []string{`1.1 settled ["i-1","i-2"] .`, "1.2 failed - " + strings.Repeat("ü", 512) + "."}
	if diff := cmp.Diff(want, kept(t, config)); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}

func TestDeposedLeaderBeginsNoLaunch(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	begin(t, store, intent(t, 7, 1))
	begin(t, store, intent(t, 8, 1))
	if err := store.BeginLaunch(t.Context(), intent(t, 7, 2)); !errors.Is(err, jobstore.ErrDeposed) {
		t.Errorf("the older leader: %v, want %v", err, jobstore.ErrDeposed)
	}
	if diff := cmp.Diff([]string{"7.1 open", "8.1 open"}, unsettled(t, store)); diff != "" {
		t.Errorf("unsettled (-want +got):\n%s", diff)
	}
}

func TestLaunchIntentIsWrittenOnce(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	l := intent(t, 7, 1)
	begin(t, store, l)
	l.ID = newID(t)
	if err := store.BeginLaunch(t.Context(), l); err == nil || errors.Is(err, jobstore.ErrDeposed) {
		t.Errorf("the same token again: %v", err)
	}
}

func TestPurgeKeepsWhatLaunchesAreMeasuredBy(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	ended, newest := begin(t, store, intent(t, 1, 1)), intent(t, 3, 1)
	begin(t, store, intent(t, 2, 1)) // stays open
	begin(t, store, newest)
	must(t)(store.FailLaunch(t.Context(), ended, "no capacity"))
	must(t)(store.FailLaunch(t.Context(), newest.ID, "no capacity"))
	if _, err := rawDB(t, config).ExecContext(t.Context(), `UPDATE launch_intents SET created_at = created_at - INTERVAL 2 HOUR`); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		age  time.Duration
		left int
	}{{3 * time.Hour, 3}, {time.Hour, 2}} {
		if err := store.PurgeLaunches(t.Context(), step.age); err != nil {
			t.Fatal(err)
		}
		if all := kept(t, config); len(all) != step.left {
			t.Errorf("after a purge of what is older than %v: %q, want %d", step.age, all, step.left)
		}
	}
	if err := store.BeginLaunch(t.Context(), intent(t, 2, 2)); !errors.Is(err, jobstore.ErrDeposed) {
		t.Errorf("the older leader after the purge: %v, want %v", err, jobstore.ErrDeposed)
	}
}
