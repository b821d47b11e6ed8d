package host

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// censusAge is how old the list of processes may be; making one reads all of /proc.
const censusAge = 200 * time.Millisecond

// census knows which processes belong to which session. A program of a machine leads
// a session of its own, and what it starts stays in it, even in process groups of
// their own.
type census struct {
	mu       sync.Mutex // guards the rest
	at       time.Time
	sessions map[int][]int // leader → processes
}

// of lists the living processes of the session that leader leads or has led.
func (c *census) of(leader int, oldest time.Duration) []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) > oldest {
		c.at = time.Now() // before: what begins while we read may be missed
		c.sessions = readSessions()
	}
	return c.sessions[leader]
}

func readSessions() map[int][]int {
	sessions := make(map[int][]int)
	proc, err := os.Open("/proc")
	if err != nil {
		return sessions
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1) // what was read counts
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if session, alive := readSession(name); alive {
			sessions[session] = append(sessions[session], pid)
		}
	}
	return sessions
}

// readSession: a zombie holds nothing any more.
func readSession(pid string) (session int, alive bool) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, false
	}
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // the name before may hold anything
	const state, of = 0, 3
	if len(fields) <= of || fields[state] == "Z" || fields[state] == "X" {
		return 0, false
	}
	session, err = strconv.Atoi(fields[of])
	return session, err == nil
}

// cpuTime is what the process has used so far, exact to the nanosecond, with all its
// threads and without its children.
func cpuTime(pid int) (time.Duration, bool) {
	const schedulerClock = 2
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedulerClock), &used); err != nil {
		return 0, false
	}
	return time.Duration(used.Nano()), true
}

// meter adds up what the processes of a machine have used, those that ended
// meanwhile too. It is not safe for concurrent use.
type meter struct {
	total time.Duration
	at    time.Time // of the last reading
	last  map[int]time.Duration
}

func (m *meter) read(pids []int) time.Duration {
	seen := make(map[int]time.Duration, len(pids))
	for _, pid := range pids {
		used, ok := cpuTime(pid)
		if !ok {
			continue
		}
		before := m.last[pid]
		if used < before { // another process under the same number
			before = 0
		}
		m.total += used - before
		seen[pid] = used
	}
	m.last, m.at = seen, time.Now()
	return m.total
}
