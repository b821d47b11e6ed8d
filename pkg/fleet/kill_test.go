package fleet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobstore"
)

// TestMain lets the test binary play a scaler that is killed.
func TestMain(m *testing.M) {
	if text := os.Getenv("FLEET_TEST_DOOMED"); text != "" {
		if err := doomed(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1) // it was to be killed
	}
	os.Exit(m.Run())
}

// doom says what a scaler does and when it is killed.
type doom struct {
	Fleet  fleet.Config
	Store  jobstore.Config
	Before bool // the call; else between the call and its record
}

// doomed grows the fleet by two and is killed while it does.
func doomed(text string) error {
	var d doom
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return err
	}
	store, err := jobstore.Open(context.Background(), d.Store)
	if err != nil {
		return err
	}
	f, err := fleet.Open(context.Background(), d.Fleet, mortal{store, d.Before}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		return err
	}
	_, err = f.Grow(context.Background(), fleet.Lease{Epoch: 1, Until: time.Now().Add(time.Hour)}, 2)
	return err
}

// mortal is a ledger whose process is killed at one of its steps.
type mortal struct {
	*jobstore.Store
	before bool
}

func (m mortal) BeginLaunch(ctx context.Context, l jobstore.LaunchIntent) error {
	err := m.Store.BeginLaunch(ctx, l)
	if err == nil && m.before {
		die()
	}
	return err
}

func (m mortal) RecordLaunch(ctx context.Context, id uuid.UUID, instances []string) (bool, error) {
	die()
	return m.Store.RecordLaunch(ctx, id, instances)
}

// die does not return: the signal takes the process before the call does.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func TestScalerKilledWhileItLaunches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		before bool
		left   int // instances that run when it is dead
	}{
		{"between intent and call", true, 0},
		{"between call and record", false, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, awstest.Options{})
			w.config.Zones = []string{zoneA}
			w.kill(t, test.before)
			if up := w.up(t); len(up) != test.left {
				t.Fatalf("after its death up are %v, want %d", up, test.left)
			}
			// Two new leaders, one after the other: the second finds nothing to do.
			for epoch := uint64(2); epoch < 4; epoch++ {
				f := w.open(t)
				if err := f.Settle(t.Context(), lease(epoch)); err != nil {
					t.Fatal(err)
				}
				if up, listed := w.up(t), ids(list(t, f, nil).Instances); len(up) != 2 || !slices.Equal(up, listed) {
					t.Errorf("leader %d: up are %v, listed %v, want the two that were asked for", epoch, up, listed)
				}
			}
		})
	}
}

// kill lets another process grow the fleet by two and die.
func (w *world) kill(t *testing.T, before bool) {
	t.Helper()
	text, err := json.Marshal(doom{Fleet: w.config, Store: w.database, Before: before})
	if err != nil {
		t.Fatal(err)
	}
	scaler := exec.CommandContext(t.Context(), os.Args[0])
	scaler.Env = append(os.Environ(), "FLEET_TEST_DOOMED="+string(text))
	output, err := scaler.CombinedOutput()
	if status, ok := scaler.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the scaler was not killed: %v\n%s", err, output)
	}
}
