package e2e

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// TestRedisEmptied: nothing but speed is lost.
func TestRedisEmptied(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	before := e.submit(t, 4, faultyPhoto(t, "slow=200ms"))
	e.flushRedis(t)
	after := e.submit(t, 2, drawnPhoto(t))
	e.finishedAtOnce(t, append(before, after...))
	for _, id := range before {
		e.getBytes(t, "/v1/detections/"+id.String())
	}
}

func (e *env) flushRedis(t *testing.T) {
	t.Helper()
	conn, err := net.Dial("tcp", e.info.Redis.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	command := "FLUSHALL\r\n"
	if e.info.Redis.Password != "" {
		command = "AUTH " + e.info.Redis.Password + "\r\n" + command
	}
	if _, err := conn.Write([]byte(command)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 64)
	if n, err := conn.Read(answer); err != nil || answer[0] != '+' {
		t.Fatalf("redis answered %q, %v", answer[:n], err)
	}
}

// TestMySQLStoppedUnderLoad and TestS3StoppedUnderLoad: what was accepted ends, what
// could not be accepted was told so, and the outage is nobody's failed attempt.
func TestMySQLStoppedUnderLoad(t *testing.T) {
	t.Parallel()
	storeStopped(t, "mariadb")
}

func TestS3StoppedUnderLoad(t *testing.T) {
	t.Parallel()
	storeStopped(t, "s3")
}

func storeStopped(t *testing.T, part string) {
	e := newEnv(t)
	first := e.submit(t, 4, faultyPhoto(t, "slow=500ms")) // in hand when the store goes
	load := e.load(t, drawnPhoto(t))
	e.kill(t, part, syscall.SIGKILL)
	eventually(t, "the door to refuse", func() error {
		if load.count(http.StatusServiceUnavailable) < 3 {
			return fmt.Errorf("%v", load.statuses())
		}
		return nil
	})
	down := time.Now()
	eventually(t, "the outage to last", func() error {
		if time.Since(down) < 3*time.Second {
			return fmt.Errorf("only %s", time.Since(down))
		}
		return nil
	})
	e.start(t, part)
	before := load.accepted()
	eventually(t, "the door to accept again", func() error {
		if load.accepted() < before+3 {
			return fmt.Errorf("%v", load.statuses())
		}
		return nil
	})
	load.stop()
	load.check(t)
	e.settled(t)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range append(first, e.accepted...) {
		p := e.photo(t, id)
		if p.Row.State != job.StateSucceeded || p.Row.Attempts != 1 {
			t.Errorf("photo %s: %s after %d attempts, want succeeded after 1", id, p.Row.State, p.Row.Attempts)
		}
	}
}

// load uploads photos one after the other on a few connections until it is stopped.
type load struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex // guards what follows
	seen     map[int]int
	troubles []string
}

func (e *env) load(t *testing.T, photo []byte) *load {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	l := &load{cancel: cancel, seen: map[int]int{}}
	t.Cleanup(l.stop)
	for range 4 {
		l.done.Go(func() {
			for ctx.Err() == nil {
				a, err := e.post(context.WithoutCancel(ctx), photo)
				l.saw(a, err)
				select {
				case <-ctx.Done():
				case <-time.After(50 * time.Millisecond):
				}
			}
		})
	}
	return l
}

func (l *load) saw(a answer, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.troubles = append(l.troubles, err.Error())
	case a.status == http.StatusServiceUnavailable && a.retryAfter == "":
		l.troubles = append(l.troubles, "503 without Retry-After: "+a.body)
	case a.status/100 != 2 && a.status != http.StatusServiceUnavailable:
		l.troubles = append(l.troubles, fmt.Sprintf("%d: %s", a.status, a.body))
	}
	l.seen[a.status]++
}

func (l *load) stop() {
	l.cancel()
	l.done.Wait()
}

func (l *load) count(status int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen[status]
}

func (l *load) accepted() int { return l.count(http.StatusAccepted) + l.count(http.StatusOK) }

func (l *load) statuses() map[int]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	copied := map[int]int{}
	maps.Copy(copied, l.seen)
	return copied
}

// check fails on connection errors and on any answer but 2xx and a proper 503.
func (l *load) check(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, trouble := range l.troubles {
		t.Error(trouble)
	}
	t.Logf("answers: %v", l.seen)
}

// TestTwoThousandAtOnce: 2xx or 503 with Retry-After, no connection errors, and every
// 2xx ends.
func TestTwoThousandAtOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	photo := drawnPhoto(t)
	var at sync.WaitGroup
	l := &load{cancel: func() {}, seen: map[int]int{}}
	e.web.Transport = &http.Transport{MaxIdleConnsPerHost: 2000}
	for range 2000 {
		at.Go(func() {
			a, err := e.post(t.Context(), photo)
			l.saw(a, err)
		})
	}
	at.Wait()
	l.check(t)
	if l.accepted() == 0 {
		t.Error("nothing was accepted")
	}
	e.settled(t)
}

// everyPhoto lists the newest rows whoever owns them.
func (e *env) everyPhoto(ctx context.Context) ([]job.Photo, error) {
	user, err := e.store.FindUserByName(ctx, e.info.Administrator.Username)
	if err != nil {
		return nil, err
	}
	return e.store.List(ctx, jobstore.Filter{OwnerID: user.ID, Limit: 100})
}
