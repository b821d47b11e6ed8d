package lifecycle_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"maskfleet/pkg/lifecycle"
)

var errBroken = errors.New("broken")

// TestMain lets the test binary play the program of TestSecondSignalEndsTheProcess.
func TestMain(m *testing.M) {
	if os.Getenv("LIFECYCLE_TEST_STUBBORN") != "" {
		stubborn()
	}
	os.Exit(m.Run())
}

// stubborn says what it is doing and never stops by itself.
func stubborn() {
	err := lifecycle.Run(quiet(), func(ctx context.Context) error {
		os.Stdout.WriteString("running\n")
		<-ctx.Done()
		os.Stdout.WriteString("stopping\n")
		select {}
	})
	if err != nil {
		os.Exit(1)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func TestRunStopsAllWhenOneFails(t *testing.T) {
	t.Parallel()
	var cause error
	err := lifecycle.Run(quiet(),
		func(ctx context.Context) error { <-ctx.Done(); cause = context.Cause(ctx); return nil },
		func(context.Context) error { return errBroken },
		untilStopped,
	)
	if !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
	if !errors.Is(cause, lifecycle.ErrStopping) {
		t.Errorf("the cause is %v, want %v", cause, lifecycle.ErrStopping)
	}
}

func TestRunEndsWhenAllPartsAreDone(t *testing.T) {
	t.Parallel()
	if err := lifecycle.Run(quiet(), func(context.Context) error { return nil }); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestPartsBeneathOutliveWhatServes(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := false
	var cause error
	err := lifecycle.Beneath(ctx,
		func(ctx context.Context) error {
			stop()
			<-ctx.Done()
			served = true
			return nil
		},
		func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			if !served {
				t.Error("the part was stopped first")
			}
			return nil
		},
	)
	if err != nil || !errors.Is(cause, lifecycle.ErrStopping) {
		t.Errorf("got %v, and a part stopped by %v", err, cause)
	}
}

func TestPartThatFailsEndsWhatServes(t *testing.T) {
	t.Parallel()
	err := lifecycle.Beneath(t.Context(), func(ctx context.Context) error { <-ctx.Done(); return nil },
		func(context.Context) error { return errBroken },
		untilStopped,
	)
	if !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}

func TestSecondSignalEndsTheProcess(t *testing.T) {
	t.Parallel()
	program := exec.CommandContext(t.Context(), os.Args[0])
	program.Env = append(os.Environ(), "LIFECYCLE_TEST_STUBBORN=1")
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	expect := func(want string) {
		t.Helper()
		line := make([]byte, len(want))
		if _, err := io.ReadFull(out, line); err != nil || string(line) != want {
			t.Fatalf("the program said %q (%v), want %q", line, err, want)
		}
	}
	for _, want := range []string{"running\n", "stopping\n"} {
		expect(want)
		if err := program.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	if err := program.Wait(); err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("got %v, want an end by the second signal", err)
	}
}

func TestRunEndsWhenAPartIsDone(t *testing.T) {
	t.Parallel()
	err := lifecycle.Run(quiet(), func(context.Context) error { return lifecycle.ErrDone }, untilStopped)
	if err != nil {
		t.Errorf("it ended with %v", err)
	}
}
