package testenv

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Freeze sends SIGSTOP and returns once every thread stands still, or the process
// is gone: the signal alone leaves a busy server time to answer once more.
func (p *Process) Freeze() {
	p.Signal(syscall.SIGSTOP)
	for !p.standsStill() {
		select {
		case <-p.Ended():
			return
		case <-time.After(probeInterval):
		}
	}
}

func (p *Process) standsStill() bool {
	threads, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(p.Pid()), "task", "*", "stat"))
	if err != nil || len(threads) == 0 {
		return false
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if os.IsNotExist(err) {
			continue // ended meanwhile
		}
		// The state follows the name, which may hold anything but ends with the
		// last parenthesis.
		at := bytes.LastIndexByte(stat, ')')
		if err != nil || at < 0 || !bytes.HasPrefix(stat[at:], []byte(") T")) {
			return false
		}
	}
	return true
}
