package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParsePhases(t *testing.T) {
	t.Parallel()
	got, err := ParsePhases("60s@5, 2m@5-20,1m30s@0.5")
	if err != nil {
		t.Fatal(err)
	}
	want := []Phase{{time.Minute, 5, 5}, {2 * time.Minute, 5, 20}, {90 * time.Second, 0.5, 0.5}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, wrong := range []string{"", "60s", "@5", "60@5", "60s@", "60s@x", "60s@-5", "60s@5-", "0s@5", "-1s@5", "60s@NaN", "60s@5,"} {
		if got, err := ParsePhases(wrong); err == nil {
			t.Errorf("%q gave %v", wrong, got)
		}
	}
}

func TestUploadsAreDueAtTheirRate(t *testing.T) {
	t.Parallel()
	for _, p := range []Phase{Steady(5, 20), Steady(0.5, 3), {10 * time.Second, 0, 10}, {10 * time.Second, 10, 0}, {10 * time.Second, 2, 8}} {
		n := 0
		last := time.Duration(-1)
		for at := range p.due() {
			seconds := at.Seconds()
			before := p.From*seconds + (p.To-p.From)*seconds*seconds/2/p.Length.Seconds()
			if before < float64(n)-1e-6 || before > float64(n)+1e-6 {
				t.Errorf("%s: upload %d is due at %s, where %g have passed", p, n, at, before)
			}
			if at <= last || at > p.Length {
				t.Errorf("%s: upload %d is due at %s, after %s", p, n, at, last)
			}
			last = at
			n++
		}
		if n != p.Count() || n == 0 {
			t.Errorf("%s has %d uploads, want %d", p, n, p.Count())
		}
	}
}

// pipes is a network within a synctest bubble.
type pipes struct{ connections chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.connections
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestLoopIsOpen: no answer comes for ten seconds, and yet uploads go on at their
// rate.
func TestLoopIsOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := pipes{make(chan net.Conn)}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(10 * time.Second)
			fmt.Fprint(w, `{"success": true}`)
		})}
		go func() { _ = server.Serve(network) }()
		transport := &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			network.connections <- theirs
			return ours, nil
		}}
		r := &run{
			cfg:    Config{Photos: []Photo{{"a.jpg", []byte("a")}}, Phases: []Phase{{5 * time.Second, 4, 4}, {5 * time.Second, 8, 8}}},
			target: "http://door/api/upload", http: &http.Client{Transport: transport}, began: time.Now(), tallies: make([]tally, 2),
		}
		r.send(t.Context())
		got := r.report()
		close(network.connections)
		_ = server.Close()
		synctest.Wait()
		want := Report{
			Total: Part{
				Phase: "all", Seconds: 10, OfferedRate: 6, SentRate: 6, Sent: 60, Good: 60, Statuses: map[int]int{200: 60},
				Faults: map[string]int{}, Latency: Latency{10000, 10000, 10000, 10000, 10000},
			},
			Phases: []Part{
				{
					Phase: "5s@4", Seconds: 5, OfferedRate: 4, SentRate: 4, Sent: 20, Good: 20, Statuses: map[int]int{200: 20},
					Faults: map[string]int{}, Latency: Latency{10000, 10000, 10000, 10000, 10000},
				},
				{
					Phase: "5s@8", Seconds: 5, OfferedRate: 8, SentRate: 8, Sent: 40, Good: 40, Statuses: map[int]int{200: 40},
					Faults: map[string]int{}, Latency: Latency{10000, 10000, 10000, 10000, 10000},
				},
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestAnswersAreCounted(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("file")
		if err != nil || r.URL.Path != "/api/upload" || r.FormValue("username") != "rig" || r.FormValue("password") != "secret" {
			t.Errorf("%s: %v, %v", r.URL, r.Form, err)
			return
		}
		if data, err := io.ReadAll(file); err != nil || string(data) != "content of "+header.Filename {
			t.Errorf("%s holds %q, %v", header.Filename, data, err)
		}
		switch n.Add(1) % 4 {
		case 0:
			panic(http.ErrAbortHandler)
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"success": false, "error": {"code": 503, "message": "Later."}}`)
		case 2:
			fmt.Fprint(w, `{"success": "false"}`)
		default:
			fmt.Fprint(w, `{"success": true, "payload": {"num_faces": 1, "num_masked": 1, "num_unmasked": 0}}`)
		}
	}))
	defer door.Close()
	for _, reuse := range []Reuse{NewConnections, KeepConnections} {
		got, err := Run(t.Context(), Config{
			URL: door.URL, Username: "rig", Password: "secret", Reuse: reuse, Phases: []Phase{Steady(200, 40)},
			Photos: []Photo{{"a.jpg", []byte("content of a.jpg")}, {"b.jpg", []byte("content of b.jpg")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		p := got.Total
		if p.Sent != 40 || p.Good != 10 || p.FaultCount() != 10 || p.Statuses[503] != 10 || p.Statuses[200] != 20 {
			t.Errorf("got %+v", p)
		}
	}
}

func TestStoppingWaitsForAnswers(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		stop()
		fmt.Fprint(w, `{"success": true}`)
	}))
	defer door.Close()
	got, err := Run(ctx, Config{URL: door.URL + "/api/upload", Photos: []Photo{{"a.jpg", nil}}, Phases: []Phase{Steady(1, 3600)}})
	if err != nil || got.Total.Sent != 1 || got.Total.Good != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"http://127.0.0.1:8080":            "http://127.0.0.1:8080/api/upload",
		"http://127.0.0.1:8080/":           "http://127.0.0.1:8080/api/upload",
		"https://example.com/api/upload":   "https://example.com/api/upload",
		"http://127.0.0.1:8080/api/upload": "http://127.0.0.1:8080/api/upload",
		"127.0.0.1:8080":                   "",
		"example.com":                      "",
	} {
		if got, err := uploadURL(given); got != want || (err == nil) == (want == "") {
			t.Errorf("%s gave %q, %v", given, got, err)
		}
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i)*time.Millisecond)
	}
	if got, want := percentiles(hundred), (Latency{50, 90, 95, 99, 100}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := percentiles(hundred[99:]), (Latency{1, 1, 1, 1, 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestFaultsAreNamed(t *testing.T) {
	t.Parallel()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := nobody.Addr().String()
	nobody.Close()
	_, err = http.Get("http://" + address)
	if got := faultOf(err); got != "connection refused" {
		t.Errorf("got %q of %v", got, err)
	}
	if got := faultOf(fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)); !strings.Contains(got, "without an answer") {
		t.Errorf("got %q", got)
	}
}
