package slot

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// residentCheckEvery is how often a working slot's size is looked at: often enough
// that it cannot fill a machine in between, seldom enough to cost nothing.
const residentCheckEvery = 200 * time.Millisecond

// verdict is why a guard killed a process.
type verdict string

const (
	verdictNone      verdict = "not killed"
	verdictCancelled verdict = "killed: cancelled"
	verdictTimeout   verdict = "killed: time is over"
	verdictMemory    verdict = "killed: too much memory"
)

// guard watches over a process while it works, and kills it when ctx ends, the
// time is over or its resident size passes the limit. The function it gives ends
// the watch and says what came of it; it must be called.
func (p *process) guard(ctx context.Context, timeout time.Duration, residentLimitBytes int64) func() verdict {
	finished := make(chan struct{})
	result := make(chan verdict, 1)
	go func() {
		v := p.watch(ctx, finished, timeout, residentLimitBytes)
		if v != verdictNone {
			p.kill()
		}
		result <- v
	}()
	return func() verdict {
		close(finished)
		return <-result
	}
}

func (p *process) watch(ctx context.Context, finished <-chan struct{}, timeout time.Duration, residentLimitBytes int64) verdict {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	check := time.NewTicker(residentCheckEvery)
	defer check.Stop()
	for {
		select {
		case <-finished:
			return verdictNone
		case <-p.ended:
			return verdictNone
		case <-ctx.Done():
			return verdictCancelled
		case <-deadline.C:
			return verdictTimeout
		case <-check.C:
			if resident, err := residentBytes(p.pid()); err == nil && resident > residentLimitBytes {
				return verdictMemory
			}
		}
	}
}

// residentBytes is what the process holds in memory, shared libraries included.
func residentBytes(pid int) (int64, error) {
	path := fmt.Sprintf("/proc/%d/statm", pid)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("reading a slot's size: %w", err)
	}
	fields := strings.Fields(string(text)) // size, resident, shared, … in pages
	if len(fields) < 2 {
		return 0, fmt.Errorf("reading a slot's size: %s holds %q", path, text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading a slot's size: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}
