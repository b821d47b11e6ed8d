package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

const (
	statName  = "stat"
	statEvery = time.Second
	statHertz = 100 // of the clock that proc(5) counts in
)

// stat tells a machine's programs of its CPU what a kernel of its own would, in the
// first line of a /proc/stat: the kernel's is about all that runs on this computer.
type stat struct {
	path  string
	cores float64
	since time.Time
}

func newStat(dir string, cores float64) *stat {
	if cores == 0 {
		cores = float64(runtime.NumCPU())
	}
	return &stat{path: filepath.Join(dir, statName), cores: cores, since: time.Now()}
}

// forgetStat takes away what an earlier boot told: a program that reads it first would
// see the counters go back. Without the file it knows nothing yet.
func forgetStat(dir string) error {
	err := os.Remove(filepath.Join(dir, statName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting the machine's CPU: %w", err)
	}
	return nil
}

// tellOfCPU has what tell is given written, at most every statEvery, until stop. Tell
// never waits for the disk: whoever calls it may have halted the machine.
func (m *Machine) tellOfCPU(ctx context.Context) (tell func(now time.Time, used time.Duration), stop func()) {
	type reading struct {
		at   time.Time
		used time.Duration
	}
	readings, done := make(chan reading), make(chan struct{})
	told := newStat(m.dir, m.spec.Cores)
	go func() { // ends at stop
		defer close(done)
		for r := range readings {
			if err := told.write(r.at, r.used); err != nil {
				m.log.WarnContext(ctx, "CPU not told", "instance_id", m.spec.ID, "err", err)
			}
		}
	}()
	var last time.Time
	tell = func(now time.Time, used time.Duration) {
		if now.Sub(last) < statEvery {
			return
		}
		select {
		case readings <- reading{now, used}:
			last = now
		default: // the one before is still being written
		}
	}
	return tell, func() { close(readings); <-done }
}

// write tells what was used so far, of what might have been.
func (s *stat) write(now time.Time, used time.Duration) error {
	line := s.line(now, used)
	next := s.path + ".next" // nobody reads half of it
	if err := os.WriteFile(next, []byte(line), 0o600); err != nil {
		return fmt.Errorf("telling of the machine's CPU: %w", err)
	}
	if err := os.Rename(next, s.path); err != nil {
		return fmt.Errorf("telling of the machine's CPU: %w", err)
	}
	return nil
}

// line is user, nice, system and idle time. A burst beyond the share is no idle time
// that is owed.
func (s *stat) line(now time.Time, used time.Duration) string {
	ticks := func(d time.Duration) int64 { return int64(d.Seconds() * statHertz) }
	busy, all := ticks(used), ticks(time.Duration(s.cores*float64(now.Sub(s.since))))
	return fmt.Sprintf("cpu  %d 0 0 %d 0 0 0 0 0 0\n", busy, max(0, all-busy))
}
