package child

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// LimitMemory bounds what this process may allocate and forbids core dumps, which
// would hold a person's photo. It is RLIMIT_DATA and not RLIMIT_AS: OpenCV's
// libraries map 620 MB before any work.
func LimitMemory(dataLimitBytes uint64) error {
	if err := setLimit(syscall.RLIMIT_CORE, 0); err != nil {
		return fmt.Errorf("forbidding core dumps: %w", err)
	}
	if err := setLimit(syscall.RLIMIT_DATA, dataLimitBytes); err != nil {
		return fmt.Errorf("limiting memory to %d bytes: %w", dataLimitBytes, err)
	}
	return nil
}

// Confine makes sure that no file and no socket is ever opened again, whatever a
// photo makes of the decoder, and closes what this process was born with beside
// its standard streams. What must be loaded must be loaded before.
func Confine() error {
	if err := closeInherited(); err != nil {
		return fmt.Errorf("closing inherited files: %w", err)
	}
	// Go's timers, the garbage collector's among them, open a poller when the first
	// is set, and end the program if they cannot: let it be now.
	time.AfterFunc(time.Hour, func() {}).Stop()
	if err := setLimit(syscall.RLIMIT_NOFILE, 0); err != nil {
		return fmt.Errorf("forbidding files: %w", err)
	}
	return nil
}

// closeInherited closes the files that came from the worker's own parents. They
// alone lack the flag to be closed on exec: they have lived through one.
func closeInherited() error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range open {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd <= syscall.Stderr {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = syscall.Close(fd)
		}
	}
	return nil
}

func setLimit(resource int, value uint64) error {
	return syscall.Setrlimit(resource, &syscall.Rlimit{Cur: value, Max: value})
}

// TakeOutput gives the standard output to the caller alone: whatever a library
// prints goes to standard error from here on and cannot spoil the conversation.
func TakeOutput() (*os.File, error) {
	own, err := unix.FcntlInt(uintptr(syscall.Stdout), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("taking the standard output: %w", err)
	}
	if err := unix.Dup3(syscall.Stderr, syscall.Stdout, 0); err != nil {
		return nil, fmt.Errorf("taking the standard output: %w", err)
	}
	return os.NewFile(uintptr(own), "answers"), nil
}
