package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"maskfleet/deployments/local/stack"
)

func runDown(ctx context.Context, _ []string) int {
	at, err := findPlace()
	if err != nil {
		return fail(err)
	}
	if err := down(ctx, at, steps{os.Stdout}); err != nil {
		return fail(err)
	}
	return statusOK
}

// down is done at once if nothing runs.
func down(ctx context.Context, at place, s steps) error {
	if _, running := stack.Running(at.dir); !running {
		s.line("Nothing is running.")
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	return s.do("stopping", "everything", func() error { return stack.Down(ctx, at.dir) })
}

// runClean leaves what can be made again and holds nobody's data: the built
// programs and the caches.
func runClean(ctx context.Context, _ []string) int {
	at, err := findPlace()
	if err != nil {
		return fail(err)
	}
	s := steps{os.Stdout}
	if err := down(ctx, at, s); err != nil {
		return fail(err)
	}
	err = s.do("forgetting", "data, logs and passwords", func() error {
		for _, name := range []string{"data", "run", "log", "secrets.json", "stack.json"} {
			if err := os.RemoveAll(filepath.Join(at.dir, name)); err != nil {
				return fmt.Errorf("removing %s: %w", name, err)
			}
		}
		return nil
	})
	if err != nil {
		return fail(err)
	}
	return statusOK
}
