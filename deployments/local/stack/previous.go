package stack

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// dyingLimit bounds the wait for the children of a killed stack: the kernel kills
// them with it, but a database takes a moment to be gone, and holds its port.
const dyingLimit = 5 * time.Second

// awaitPrevious waits for what is left of a stack that was killed. Whatever then
// still runs is not in the way: taken ports move.
func awaitPrevious(ctx context.Context, dir string) {
	last, err := Read(dir)
	if err != nil {
		return // it stopped cleanly, or never became ready
	}
	ctx, cancel := context.WithTimeout(ctx, dyingLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var pids []int
	for _, part := range last.Parts {
		pids = append(pids, part.PID)
	}
	for _, instance := range last.Instances {
		pids = slices.AppendSeq(pids, maps.Values(instance.PIDs))
	}
	for _, pid := range pids {
		for alive(pid) {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}
}

// alive is false for a zombie, which holds nothing any more.
func alive(pid int) bool {
	if pid == 0 {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, found := strings.Cut(string(stat), ") ") // the name before it may hold anything
	return found && !strings.HasPrefix(state, "Z")
}
