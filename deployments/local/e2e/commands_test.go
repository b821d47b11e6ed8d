package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
)

// connect logs in to the broker as a person would.
func (e *env) connect(t testing.TB, user, password string, options ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(e.info.NATS.URL, append(options, nats.UserInfo(user, password))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func (e *env) operator(t testing.TB) *nats.Conn {
	t.Helper()
	return e.connect(t, e.info.NATS.User, e.info.NATS.Password)
}

// command types a command and reads its answer, or gives the code it was refused with.
// Who answers may be about to start.
func command(t testing.TB, nc *nats.Conn, subject, request string, header nats.Header, answer any) (code string) {
	t.Helper()
	var msg *nats.Msg
	eventually(t, subject+" to be answered", func() (err error) {
		msg, err = nc.RequestMsg(&nats.Msg{Subject: "maskfleet." + subject, Header: header, Data: []byte(request)}, patience)
		return err
	})
	if code = msg.Header.Get(micro.ErrorCodeHeader); code != "" {
		return code
	}
	if err := json.Unmarshal(msg.Data, answer); err != nil {
		t.Fatalf("%s %s: %s: %v", subject, request, msg.Data, err)
	}
	return ""
}

// TestWorkerDrainedByCommandUnderLoad: promise 4. What is in hand finishes, what waits
// is not touched, the door beside the worker goes out of service, and after the resume it goes on, without an attempt charged.
func TestWorkerDrainedByCommandUnderLoad(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	nc := e.operator(t)
	ids := e.submit(t, 8, faultyPhoto(t, "slow=700ms"))
	eventually(t, "a photo to be in hand", func() error {
		for _, id := range ids {
			if e.photo(t, id).Row.State == job.StateProcessing {
				return nil
			}
		}
		return errors.New("none is")
	})
	var status struct {
		State  string
		Busy   int
		Photos []struct {
			ID        job.ID
			LeaseLeft string `json:"lease_left"`
		}
	}
	if code := command(t, nc, "worker.local-1.drain", "", nil, &status); code != "" || !strings.HasPrefix(status.State, "drain") {
		t.Fatalf("drain: %s, %+v", code, status)
	}
	eventually(t, "everybody to know", func() error {
		workers, err := e.queue.Workers(t.Context())
		if err != nil || len(workers) != 1 || !workers[0].Draining {
			return fmt.Errorf("%+v, %w", workers, err)
		}
		return nil
	})
	eventually(t, "the worker to be drained", func() error {
		command(t, nc, "worker.local-1.status", "", nil, &status)
		if status.State != "drained" || status.Busy != 0 {
			return fmt.Errorf("%+v", status)
		}
		return nil
	})
	e.awaitReadiness(t, http.StatusServiceUnavailable)
	waiting := 0
	for _, id := range ids {
		switch row := e.photo(t, id).Row; {
		case row.State == job.StateQueued && row.Attempts == 0 && row.Fence == 0:
			waiting++
		case row.State != job.StateSucceeded || row.Attempts != 1:
			t.Errorf("photo %s after the drain: %+v", id, row)
		}
	}
	if waiting == 0 {
		t.Fatal("nothing waits: the test proves nothing")
	}
	if code := command(t, nc, "worker.local-1.resume", "", nil, &status); code != "" || status.State == "drained" {
		t.Fatalf("resume: %s, %+v", code, status)
	}
	e.awaitReadiness(t, http.StatusOK)
	e.finishedAtOnce(t, ids)
}

// awaitReadiness waits until the first door tells a balancer so.
func (e *env) awaitReadiness(t *testing.T, status int) {
	t.Helper()
	eventually(t, fmt.Sprintf("the door's /readyz to be %d", status), func() error {
		answer, err := e.web.Get("http://" + e.info.Parts["ingest"].Address + "/readyz")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != status {
			return fmt.Errorf("it is %d", answer.StatusCode)
		}
		return nil
	})
}

// TestOperatorsSteerByCommand: lanes and the intake stop and go on, dead letters are
// re-driven, and the audit log has the asker's own name whatever a message says.
func TestOperatorsSteerByCommand(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	nc := e.operator(t)

	var answered struct{}
	if code := command(t, nc, "lanes.pause", `{"lane":"interactive","for":"30m"}`, nil, &answered); code != "" {
		t.Fatal(code)
	}
	paused := e.submit(t, 1, drawnPhoto(t))[0] // taken in, and waits
	if code := command(t, nc, "intake.pause", `{"for":"30m","reason":"a test"}`, nil, &answered); code != "" {
		t.Fatal(code)
	}
	eventually(t, "the door to refuse", func() error {
		a, err := e.post(t.Context(), drawnPhoto(t))
		if err != nil || a.status != 503 || a.retryAfter == "" || !strings.Contains(a.body, problem.CodeIntakePaused) {
			return fmt.Errorf("%+v, %w", a, err)
		}
		return nil
	})
	e.stop(t, "ingest")
	e.start(t, "ingest") // remembers
	if a, err := e.post(t.Context(), drawnPhoto(t)); err != nil || a.status != 503 || !strings.Contains(a.body, problem.CodeIntakePaused) {
		t.Errorf("after its restart the door answers %+v, %v", a, err)
	}
	if code := command(t, nc, "intake.resume", "", nil, &answered); code != "" {
		t.Fatal(code)
	}
	var crashing answer
	eventually(t, "the door to take photos again", func() (err error) {
		if crashing, err = e.post(t.Context(), faultyPhoto(t, "crash")); err == nil && crashing.status != 202 {
			err = fmt.Errorf("%+v", crashing)
		}
		return err
	})
	if p := e.photo(t, paused); p.Row.State != job.StateQueued || p.Row.Attempts != 0 {
		t.Errorf("while its lane was paused the photo became %+v", p.Row)
	}
	if code := command(t, nc, "lanes.resume", `{"lane":"interactive"}`, nil, &answered); code != "" {
		t.Fatal(code)
	}
	e.awaitState(t, paused, job.StateSucceeded)

	failed := e.awaitState(t, crashing.id, job.StateFailed)
	var redriven struct{ Redriven int }
	const these = `{"reason":"decoder_crashed","canary":true`
	if code := command(t, nc, "jobs.dead.redrive", these+`,"dry_run":true}`, nil, &redriven); code != "" || redriven.Redriven != 1 {
		t.Errorf("dry run: %s, %+v", code, redriven)
	}
	if code := command(t, nc, "jobs.dead.redrive", these+`}`, nil, &redriven); code != "" || redriven.Redriven != 1 {
		t.Errorf("re-drive: %s, %+v", code, redriven)
	}
	eventually(t, "the photo to run again", func() error {
		if p := e.photo(t, crashing.id); p.Row.State != job.StateFailed || p.Row.Fence <= failed.Row.Fence || p.Lane != job.LaneCanary {
			return fmt.Errorf("lane %s, %+v", p.Lane, p.Row)
		}
		return nil
	})
	e.settled(t)
	e.forgers(t, nc)
}

// forgers try to be somebody else.
func (e *env) forgers(t *testing.T, operator *nats.Conn) {
	t.Helper()
	e.stop(t, "inference-worker")
	id := e.submit(t, 1, drawnPhoto(t))[0]
	cancel := fmt.Sprintf(`{"ids":[%q]}`, id)
	refused := make(chan error, 10)
	worker := e.connect(t, "worker", e.BrokerPassword("worker"),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err := worker.Publish("maskfleet.jobs.cancel", []byte(cancel)); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-refused:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("a worker that cancels is told %v", err)
		}
	case <-time.After(patience):
		t.Error("nobody hinders a worker from cancelling")
	}
	lie := nats.Header{
		"Nats-Request-Info": {`{"acc":"MASKFLEET","user":"manager","kind":"Client"}`},
		"Maskfleet-Asker":   {"administrator"}, "Maskfleet-Via": {"page"},
	}
	var cancelled struct{ Cancelled int }
	if code := command(t, operator, "jobs.cancel", cancel, lie, &cancelled); code != "" || cancelled.Cancelled != 1 {
		t.Errorf("cancelling: %s, %+v", code, cancelled)
	}
	records, err := e.store.ListAudit(t.Context(), 1)
	if err != nil || len(records) != 1 || records[0].Actor != "operator" || records[0].Subject != id.String() || records[0].Detail["via"] != "nats" {
		t.Errorf("the liar is recorded as %+v, %v", records, err)
	}
}
