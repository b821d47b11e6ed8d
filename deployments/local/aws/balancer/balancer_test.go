package balancer

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"maskfleet/pkg/testenv/reserve"
)

// limit is far more than anything takes; machines may be busy.
const limit = time.Minute

// start starts a HAProxy that dies with the test.
func start(t *testing.T) (b *Balancer, url string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "balancer-") //nolint:usetesting // a socket's name must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(reserve.Port(t)))
	socket, path := filepath.Join(dir, "s"), filepath.Join(dir, "haproxy.cfg")
	settings := fmt.Sprintf(`global
    stats socket %s mode 600 level admin
    set-var proc.b str(/)
defaults
    mode http
    retries 0
    timeout connect 2s
    timeout client 10s
    timeout server 10s
frontend web
    bind %s
    default_backend b
backend b
    option httpchk
    http-check send meth GET uri-lf %%[var(proc.b)]
    http-check expect status 200
`, socket, address)
	if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/sbin/haproxy", "-db", "-f", path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting HAProxy (install the package haproxy?): %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	b = New(Config{Socket: socket, Backend: "b", Server: "maxconn 100"})
	eventually(t, "HAProxy answers", func() bool {
		_, err := b.Servers(t.Context())
		return err == nil
	})
	return b, "http://" + address
}

func eventually(t *testing.T, what string, look func() bool) {
	t.Helper()
	for ends := time.Now().Add(limit); !look(); {
		if time.Now().After(ends) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// target is a server whose health a test decides.
type target struct {
	at     netip.AddrPort
	well   atomic.Bool
	asked  atomic.Int64 // requests that are no checks
	checks atomic.Int64
}

func newTarget(t *testing.T) *target {
	t.Helper()
	s := &target{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.at = netip.MustParseAddrPort(listener.Addr().String())
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/well":
			s.asked.Add(1)
		case s.well.Load():
			s.checks.Add(1)
		default:
			s.checks.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

func (b *Balancer) status(t *testing.T, name string) Server {
	t.Helper()
	servers, err := b.Servers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		if s.Name == name {
			return s
		}
	}
	return Server{}
}

// TestNewServerGetsNothingBeforeItIsWell under traffic that would find any gap.
func TestNewServerGetsNothingBeforeItIsWell(t *testing.T) {
	t.Parallel()
	b, url := start(t)
	old, fresh := newTarget(t), newTarget(t)
	old.well.Store(true)
	check := Check{Interval: 20 * time.Millisecond, Rise: 2, Fall: 2}
	if err := b.CheckPath(t.Context(), "/well"); err != nil {
		t.Fatal(err)
	}
	if err := b.Add(t.Context(), "old", old.at, check); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old one is up", func() bool { return b.status(t, "old").Status == Up })

	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var failed atomic.Int64
	for range 8 {
		clients.Go(func() {
			for ctx.Err() == nil {
				request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
				response, err := http.DefaultClient.Do(request)
				if err != nil || response.StatusCode != http.StatusOK {
					failed.Add(1)
				}
				if err == nil {
					_ = response.Body.Close()
				}
			}
		})
	}
	for n := range 20 { // each time it could slip through
		if err := b.Add(t.Context(), fmt.Sprint("fresh-", n), fresh.at, check); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the fresh ones were checked", func() bool { return fresh.checks.Load() > 100 })
	if n := fresh.asked.Load(); n != 0 {
		t.Errorf("servers that were never well got %d requests", n)
	}
	fresh.well.Store(true)
	eventually(t, "the fresh ones get requests", func() bool { return fresh.asked.Load() > 0 })
	for n := range 20 {
		name := fmt.Sprint("fresh-", n)
		if err := b.Drain(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		eventually(t, name+" has nothing in hand", func() bool { return b.status(t, name).Sessions == 0 })
		eventually(t, name+" is removed", func() bool { return b.Remove(t.Context(), name) == nil })
	}
	stop()
	clients.Wait()
	if n := failed.Load(); n != 0 {
		t.Errorf("%d requests failed", n)
	}
	if left, err := b.Servers(t.Context()); err != nil || len(left) != 1 {
		t.Errorf("servers are left: %+v, %v", left, err)
	}
}

func TestStatusSaysWhy(t *testing.T) {
	t.Parallel()
	b, _ := start(t)
	ill := newTarget(t)
	if err := b.CheckPath(t.Context(), "/well"); err != nil {
		t.Fatal(err)
	}
	check := Check{Interval: 20 * time.Millisecond, Rise: 1, Fall: 1}
	nobody := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(reserve.Port(t)))
	for name, at := range map[string]netip.AddrPort{"ill": ill.at, "nobody": nobody} {
		if err := b.Add(t.Context(), name, at, check); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the ill one answers with another status", func() bool {
		s := b.status(t, "ill")
		return s.Status == Down && s.Result == "L7STS" && s.Code == http.StatusServiceUnavailable
	})
	eventually(t, "nobody refuses connections", func() bool { return b.status(t, "nobody").Result == "L4CON" })
	ill.well.Store(true)
	eventually(t, "the ill one is up", func() bool { return b.status(t, "ill").Status == Up })
	t.Run("drained and resumed", func(t *testing.T) {
		if err := b.Drain(t.Context(), "ill"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it drains", func() bool { return b.status(t, "ill").Status == Drain })
		if err := b.Resume(t.Context(), "ill"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is up", func() bool { return b.status(t, "ill").Status == Up })
	})
	t.Run("what is not there", func(t *testing.T) {
		if err := b.Drain(t.Context(), "none"); err == nil {
			t.Error("a server that is none was drained")
		}
	})
	t.Run("no HAProxy", func(t *testing.T) {
		if _, err := New(Config{Socket: "/nowhere", Backend: "b"}).Servers(t.Context()); err == nil {
			t.Error("nobody answered")
		}
	})
}
