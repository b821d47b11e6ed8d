package jobstore_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

func TestMigrateUpDownUp(t *testing.T) {
	t.Parallel()
	config, log := testenv.EmptyMariaDB(t), testenv.Logger(t)
	tables := func() (names []string) {
		rows, err := rawDB(t, config).QueryContext(t.Context(), `SHOW TABLES`)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return names
	}
	all := []string{
		"api_keys",
		"audit_log",
		"batches",
		"erasures",
		"faces",
		"goose_db_version",
		"idempotency_keys",
		"launch_intents",
		"password_resets",
		"photos",
		"retirements",
		"scaling_decisions",
		"scaling_memory",
		"sweeps",
		"uploads",
		"users",
		"webhook_attempts",
		"webhook_deliveries",
		"webhooks",
	}
	up := func() error { return jobstore.Migrate(t.Context(), config, log) }
	down := func() error { return jobstore.MigrateDown(t.Context(), config, log) }
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"up", up, all},
		{"up again", up, all},
		{"down", down, []string{"goose_db_version"}},
		{"up after down", up, all},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, tables()); diff != "" {
			t.Errorf("tables after %s (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestMigrationsAtOnceWaitForEachOther(t *testing.T) {
	t.Parallel()
	config, log := testenv.EmptyMariaDB(t), testenv.Logger(t)
	const deployments = 4
	done := make(chan error)
	for range deployments {
		go func() { done <- jobstore.Migrate(t.Context(), config, log) }()
	}
	var errs []error
	for range deployments {
		errs = append(errs, <-done)
	}
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
