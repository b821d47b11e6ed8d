package vision

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Steps is the CPU time that a photo took, step by step.
type Steps struct {
	Decode  time.Duration // from bytes to pixels, the checks of the file included
	Prepare time.Duration // scaling to the network's size
	Network time.Duration
	Boxes   time.Duration // from the network's numbers to faces
	Draw    time.Duration // scaling for the pictures included
	Encode  time.Duration
}

// clock measures the CPU time of the thread, which it keeps to one goroutine until
// it is stopped.
type clock struct {
	steps Steps
	last  time.Duration
}

func startClock() *clock {
	runtime.LockOSThread()
	return &clock{last: threadTime()}
}

func (c *clock) stop() { runtime.UnlockOSThread() }

// charge adds the time since the last charge to a step.
func (c *clock) charge(step *time.Duration) {
	now := threadTime()
	*step += now - c.last
	c.last = now
}

// threadTime is the CPU time of this thread; 0 on a system that does not tell.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
