package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrRunning says that the folder already has a running stack.
var ErrRunning = errors.New("a stack is already running here")

// acquire takes the folder for this process. The kernel gives it back when the
// process ends, however it ends, so that nothing stale can block the next stack.
func acquire(dir string) (*os.File, error) {
	lock, err := os.OpenFile(lockPath(dir), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if err := lockNow(lock); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := lock.Truncate(0); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if _, err := lock.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// lockNow tries for a moment, because a look by Running holds the lock too.
func lockNow(lock *os.File) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	const tries = 10
	for range tries {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("locking %s: %w", lock.Name(), err)
		}
		<-tick.C
	}
	return ErrRunning
}

// Running tells whether a stack runs in dir, and what it has written of itself:
// nothing while it is still starting.
func Running(dir string) (info Info, running bool) {
	if !locked(dir) {
		return Info{}, false
	}
	info, err := Read(dir)
	if err != nil {
		return Info{}, true
	}
	return info, true
}

// locked looks: a shared lock is enough to see an exclusive one.
func locked(dir string) bool {
	lock, err := os.Open(lockPath(dir))
	if err != nil {
		return false
	}
	defer lock.Close()
	err = unix.Flock(int(lock.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	return errors.Is(err, unix.EWOULDBLOCK)
}

// Down asks the process that runs the stack of dir to stop it, and returns when
// it is gone. At ctx's end it kills that process, whose children die with it.
func Down(ctx context.Context, dir string) error {
	if !locked(dir) {
		return nil
	}
	text, err := os.ReadFile(lockPath(dir))
	if err != nil {
		return fmt.Errorf("reading who runs the stack: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("reading who runs the stack: %w", err)
	}
	if err := unix.Kill(pid, unix.SIGTERM); err != nil {
		return fmt.Errorf("asking process %d to stop: %w", pid, err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for locked(dir) {
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), unix.Kill(pid, unix.SIGKILL))
		case <-tick.C:
		}
	}
	return nil
}

func lockPath(dir string) string { return filepath.Join(dir, "lock") }
