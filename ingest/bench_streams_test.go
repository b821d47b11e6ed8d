package ingest

import (
	"bufio"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkOpenStreams opens event streams on one door and reports the memory that this
// process then holds: the door, the broker, the test and the client's 2,000 sockets. The
// goal is 200 MB.
func BenchmarkOpenStreams(b *testing.B) {
	const streams = 2000
	for b.Loop() {
		d := openDoor(b, sharedStores(b), func(c *Config) { c.HTTP.StreamsPerAccount = streams })
		id := detectionOf(b, d.post(b, d.ann, photo(b), nil), http.StatusAccepted).ID
		address, request := d.overWire(b, http.MethodGet, detectionPath(id)+"/events", nil, nil)
		before := residentMB(b)
		for range streams {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = conn.Close() })
			awaitState(b, conn, request)
		}
		b.ReportMetric(residentMB(b), "MB")
		b.ReportMetric((residentMB(b)-before)*1000/streams, "kB/stream")
	}
}

// awaitState asks for a stream and reads it until its first event has come.
func awaitState(tb testing.TB, conn net.Conn, request []byte) {
	tb.Helper()
	if _, err := conn.Write(request); err != nil {
		tb.Fatal(err)
	}
	in := bufio.NewReaderSize(conn, 16)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			tb.Fatal(err)
		}
		if strings.HasPrefix(line, "event: state") {
			return
		}
	}
}

// residentMB is what this process holds of the machine's memory, garbage aside.
func residentMB(tb testing.TB) float64 {
	tb.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "VmRSS:" {
			kB, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				tb.Fatal(err)
			}
			return kB / 1000
		}
	}
	tb.Fatal("the system does not say what this process holds")
	return 0
}
