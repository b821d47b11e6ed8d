package ingest

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// meter measures a benchmark in time and in what this process spent of the CPU: of the
// two, the second means the same on a busy machine. The first is for ratios between
// what ran in one go.
type meter struct {
	b     *testing.B
	began time.Time
	cpu   time.Duration
}

func newMeter(b *testing.B) *meter {
	b.Helper()
	b.ResetTimer()
	return &meter{b: b, began: time.Now(), cpu: cpuSpent(b)}
}

// stop reports n things that were done, and gives their rate.
func (m *meter) stop(n int, unit string) (perSecond float64) {
	m.b.Helper()
	m.b.StopTimer()
	took, cpu := time.Since(m.began).Seconds(), (cpuSpent(m.b) - m.cpu).Seconds()
	m.b.ReportMetric(float64(n)/took, unit+"s/s")
	m.b.ReportMetric(cpu*1e6/float64(n), "CPU-us/"+unit)
	return float64(n) / took
}

// cpuSpent is what this process has had of the CPU so far.
func cpuSpent(tb testing.TB) time.Duration {
	tb.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// wire is a connection on which one request is sent again and again, at next to no
// cost for the client, which runs on the same cores.
type wire struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func openWire(address string, request []byte) (*wire, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, in: bufio.NewReader(conn), request: request}, nil
}

// overWire is a request with ann's key as it goes over a wire, and where to.
func (d *door) overWire(tb testing.TB, method, path string, body []byte, header map[string]string) (address string, request []byte) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, d.url+path, bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.ann.key)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	var raw bytes.Buffer
	if err := r.Write(&raw); err != nil {
		tb.Fatal(err)
	}
	return r.URL.Host, raw.Bytes()
}

// askHTTP gives the status of an answer, whose body it reads and forgets.
func (w *wire) askHTTP() (status int, err error) {
	if _, err := w.conn.Write(w.request); err != nil {
		return 0, err
	}
	length := 0
	for first := true; ; first = false {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		text := strings.TrimSpace(string(line))
		name, value, _ := strings.Cut(text, ": ")
		switch {
		case first:
			_, code, _ := strings.Cut(text, " ")
			if status, err = strconv.Atoi(code[:min(3, len(code))]); err != nil {
				return 0, fmt.Errorf("reading %q: %w", text, err)
			}
		case text == "" && status != http.StatusNotModified:
			_, err := w.in.Discard(length)
			return status, err
		case text == "":
			return status, nil
		case strings.EqualFold(name, "Content-Length"):
			if length, err = strconv.Atoi(value); err != nil {
				return 0, err
			}
		}
	}
}

// askRedis reads a value.
func (w *wire) askRedis() error {
	if _, err := w.conn.Write(w.request); err != nil {
		return err
	}
	head, err := w.in.ReadString('\n')
	if err != nil {
		return err
	}
	length, err := strconv.Atoi(strings.Trim(head, "$\r\n"))
	if err != nil || length < 0 {
		return fmt.Errorf("Redis answered %q", head)
	}
	_, err = w.in.Discard(length + len("\r\n"))
	return err
}

// wants is an ask of a wire that has one good answer.
func wants(status int) func(*wire) error {
	return func(w *wire) error {
		got, err := w.askHTTP()
		if err == nil && got != status {
			err = fmt.Errorf("got %d, want %d", got, status)
		}
		return err
	}
}

// onWires runs ask on so many connections at once until the benchmark is over.
func onWires(b *testing.B, connections int, address string, request []byte, ask func(*wire) error) {
	b.Helper()
	together(b, connections, func(next func() bool) error {
		w, err := openWire(address, request)
		if err != nil {
			return err
		}
		defer w.conn.Close()
		for next() {
			if err := ask(w); err != nil {
				return err
			}
		}
		return nil
	})
}

// together does something b.N times in all, by so many at once.
func together(b *testing.B, workers int, do func(next func() bool) error) {
	b.Helper()
	var begun atomic.Int64
	var working errgroup.Group
	for range workers {
		working.Go(func() error { return do(func() bool { return begun.Add(1) <= int64(b.N) }) })
	}
	if err := working.Wait(); err != nil {
		b.Fatal(err)
	}
}
