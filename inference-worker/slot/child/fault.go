package child

import (
	"encoding/binary"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"maskfleet/inference-worker/slot/wire"
)

// FaultMarker begins the JPEG comment by which a photo asks for a fault:
// "maskfleet-fault:crash", "crash-once" (at its first attempt only), "hang",
// "memory" or "slow=<duration>". The comment must be the first segment.
const FaultMarker = "maskfleet-fault:"

// WithFaults wraps analyze so that a photo can ask for a fault. For tests: a slot
// does this only when it is started with -simulate-faults.
func WithFaults(analyze Analyze) Analyze {
	return func(r wire.Request) (wire.Result, error) {
		switch fault, argument, _ := strings.Cut(faultOf(r.Data), "="); fault {
		case "crash":
			crash()
		case "crash-once":
			if r.Attempt == 1 {
				crash()
			}
		case "hang":
			hang()
		case "memory":
			takeMemory()
		case "slow":
			if d, err := time.ParseDuration(argument); err == nil {
				<-time.After(d)
			}
		}
		return analyze(r)
	}
}

// faultOf reads the comment that directly follows the start of a JPEG.
func faultOf(data []byte) string {
	const start = 6 // start of image, comment marker, length of the segment
	if len(data) < start || string(data[:4]) != "\xff\xd8\xff\xfe" {
		return ""
	}
	end := 4 + int(binary.BigEndian.Uint16(data[4:])) // the length counts itself
	if end < start || end > len(data) {
		return ""
	}
	fault, ok := strings.CutPrefix(string(data[start:end]), FaultMarker)
	if !ok {
		return ""
	}
	return fault
}

// crash ends the process as a failed assertion in a C++ library does.
func crash() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGABRT)
	hang() // until the signal arrives
}

func hang() {
	for {
		<-time.After(time.Hour)
	}
}

// takeMemory asks for memory until it is refused, which ends the process. It writes
// to none of it: to fill as much takes a busy machine longer than a photo may.
func takeMemory() {
	const step = 32 << 20
	for held := [][]byte{}; ; runtime.KeepAlive(held) {
		held = append(held, make([]byte, step))
	}
}
