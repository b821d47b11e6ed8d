package inferenceworker

import (
	"os"
	"strconv"
	"strings"
)

// cpuMeter reads the machine's CPU utilisation from /proc/stat (proc(5)), or from what
// stands for it where the machine is a share of another.
type cpuMeter struct {
	path        string
	busy, total uint64
	last        float64
}

// leastTicks is a second of one core: over less, a share means nothing.
const leastTicks = 100

func newCPUMeter(path string) *cpuMeter {
	m := &cpuMeter{path: path}
	m.utilisation()
	return m
}

// utilisation is the share of CPU time, 0 to 1 over all cores, that was not idle
// since the last call, or what the last call gave if that was a moment ago, or if the
// counters began anew since; 0 where it cannot be read.
func (m *cpuMeter) utilisation() float64 {
	data, err := os.ReadFile(m.path)
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(data), "\n")
	busy, total := parseCPU(line)
	spentBusy, spent := busy-m.busy, total-m.total
	switch {
	case total == 0 || busy > total:
		return 0
	case total < m.total || busy < m.busy: // a boot
		m.busy, m.total = busy, total
		return m.last
	case spent < leastTicks:
		return m.last
	}
	m.busy, m.total = busy, total
	m.last = min(1, float64(spentBusy)/float64(spent))
	return m.last
}

// parseCPU reads "cpu user nice system idle iowait irq softirq steal …" in ticks.
// Guest time is within user and nice already.
func parseCPU(line string) (busy, total uint64) {
	fields := strings.Fields(line)
	if len(fields) < 5 || fields[0] != "cpu" {
		return 0, 0
	}
	for i, f := range fields[1:min(len(fields), 9)] {
		ticks, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, 0
		}
		total += ticks
		if i != 3 && i != 4 { // idle and iowait
			busy += ticks
		}
	}
	return busy, total
}
