package host

import (
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
	path    string
	cores   float64
	since   time.Time
	written time.Time
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

// tell writes what was used so far, of what might have been, at most every statEvery.
func (s *stat) tell(now time.Time, used time.Duration) error {
	if now.Sub(s.written) < statEvery {
		return nil
	}
	s.written = now
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
