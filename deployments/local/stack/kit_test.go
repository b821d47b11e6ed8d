package stack_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"maskfleet/deployments/local/stack"
)

// onlyStores leaves out what needs the product's own programs, so that these
// tests are about starting and stopping.
func onlyStores() []string {
	return []string{"setup", "ingest", "inference-worker", "manager", "aws-host", "aws", "haproxy", "outside"}
}

// builtPrograms builds once for all tests of the package.
var builtPrograms = sync.OnceValue(buildPrograms)

func root(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func buildPrograms() error {
	broker := append([]string{"build", "-o", filepath.Join(bin, "nats")}, flavour()...)
	for _, args := range [][]string{
		append(broker, "../cmd/nats"),
		{"build", "-C", "../s3", "-o", "../../../.local/bin/s3", "."},
	} {
		cmd := exec.Command("go", args...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	return nil
}

func storesIn(t *testing.T, dir string) stack.Options {
	t.Helper()
	if err := builtPrograms(); err != nil {
		t.Fatalf("building the broker and S3: %v", err)
	}
	return stack.Options{Root: root(t), Dir: dir, Bin: bin, Without: onlyStores()}
}

func startStores(t *testing.T, dir string) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), storesIn(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t *testing.T, s *stack.Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}
