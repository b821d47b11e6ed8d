package inferenceworker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/inference-worker/slot"
	"maskfleet/pkg/config"
	"maskfleet/pkg/instance"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/telemetry"
)

// openSlots gives the worker four slots, which are never started.
func (b *bench) openSlots(t *testing.T) {
	t.Helper()
	cfg, err := config.Load[slot.Config]([]string{"SLOT_PROGRAM=true", "SLOTS=4"})
	if err != nil {
		t.Fatal(err)
	}
	if b.pool, err = slot.NewPool(cfg, b.log, prometheus.NewRegistry()); err != nil {
		t.Fatal(err)
	}
}

// answering lets the bench's worker announce itself and answer commands, as the user
// "worker", and gives an operator's connection.
func (b *bench) answering(t *testing.T) *nats.Conn {
	t.Helper()
	b.openStore(t)
	b.openSlots(t)
	b.nudged, b.startedAt = make(chan struct{}, 1), time.Now()
	b.cfg.Heartbeat, b.cfg.Slots.ItemTimeout = time.Hour, time.Minute
	b.cfg.Instance.Roles = []instance.Role{instance.RoleWorker}
	var err error
	if b.queue, err = jobqueue.Open(t.Context(), b.server.As("worker"), b.log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.queue.Close)
	if b.answers, err = command.Open(b.server.As("worker"), b.store, b.queue, b.log); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { b.announce(ctx) })
	running.Go(func() { b.answerCommands(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		b.answers.Close()
	})
	cfg := b.server.As("operator")
	nc, err := nats.Connect(cfg.URL, nats.UserInfo(cfg.User, cfg.Password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// does types a command until somebody answers, and gives the worker's status.
func does(t *testing.T, nc *nats.Conn, path, request string) (s workerStatus, code string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		answer, err := nc.Request("maskfleet.worker.w-test."+path, []byte(request), patience)
		if err == nil {
			code = answer.Header.Get(micro.ErrorCodeHeader)
			if err := json.Unmarshal(answer.Data, &s); err != nil {
				t.Fatalf("%s: %q: %v", path, answer.Data, err)
			}
			return s, code
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", path, err)
		}
	}
}

// TestLogIsShownWithoutSecrets: what an operator reads of a worker that is far away.
func TestLogIsShownWithoutSecrets(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tel := telemetry.New(telemetry.Config{LogFormat: "json"}, io.Discard)
	b.tail = tel.Tail
	nc := b.answering(t)
	tel.Log.Info("first")
	tel.Log.Warn("photo not fetched", "url", "https://ann:hush@cameras.example/1.jpg")
	does(t, nc, "status", "") // it answers
	answer, err := nc.Request("maskfleet.worker.w-test.log", []byte(`{"lines":1}`), patience)
	if err != nil {
		t.Fatal(err)
	}
	var shown logAnswer
	if err := json.Unmarshal(answer.Data, &shown); err != nil {
		t.Fatal(err)
	}
	if len(shown.Lines) != 1 || !strings.Contains(shown.Lines[0], "photo not fetched") || strings.Contains(shown.Lines[0], "hush") {
		t.Errorf("got %q", shown.Lines)
	}
	if _, code := does(t, nc, "log", `{"lines":-1}`); code == "" {
		t.Error("fewer than no lines were shown")
	}
	// The scaler asks workers for much, and for this it may not.
	cfg := b.server.As("scaler")
	scaler, err := nats.Connect(cfg.URL, nats.UserInfo(cfg.User, cfg.Password), nats.CustomInboxPrefix("_INBOX_scaler"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scaler.Close)
	if _, err := scaler.Request("maskfleet.worker.w-test.status", nil, patience); err != nil {
		t.Error(err)
	}
	if _, err := scaler.Request("maskfleet.worker.w-test.log", nil, 300*time.Millisecond); err == nil {
		t.Error("the scaler reads a worker's log")
	}
}

// awaitDrain waits until everybody is told, and gives what they are told.
func (b *bench) awaitDrain(t *testing.T, want jobqueue.Drain, busy int) jobqueue.Worker {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		workers, err := b.tester.Workers(t.Context())
		if err == nil && len(workers) == 1 && workers[0].Drain == want && workers[0].Draining == (want != "") && workers[0].Busy == busy {
			return workers[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("WORKERS holds %+v, %v, want drain %q and %d busy", workers, err, want, busy)
		}
	}
}

func TestWorkerIsDrainedAndResumedByCommand(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	nc := b.answering(t)
	if s, _ := does(t, nc, "status", ""); s.State != stateIdle || s.Slots != 4 || s.Worker != "w-test" || len(s.Photos) != 0 {
		t.Errorf("idle: %+v", s)
	}
	d := b.deliver(t, newMessage(t, 1))
	if !b.takeInHand(t.Context(), d) {
		t.Fatal("not taken")
	}
	b.claimed(&task{delivery: d}, job.Photo{ID: d.Message.PhotoID, Row: job.Row{Attempts: 2}})
	s, _ := does(t, nc, "status", "")
	if s.State != stateWorking || s.Busy != 1 || len(s.Photos) != 1 {
		t.Fatalf("working: %+v", s)
	}
	if p := s.Photos[0]; p.ID != d.Message.PhotoID || p.Attempt != 2 || p.LeaseLeft <= 0 || time.Duration(p.LeaseLeft) > b.cfg.lease() {
		t.Errorf("in hand: %+v", p)
	}
	if told := b.awaitDrain(t, "", 0); told.Roles != "inference-worker" || told.Instance != "i-test" || told.Zone != "z-test" {
		t.Errorf("told %+v", told) // the only heartbeat came before the photo
	}

	if s, _ := does(t, nc, "drain", `{"dry_run":true}`); s.State != stateWorking || b.gate.isClosed() {
		t.Errorf("dry run of a drain: %+v", s)
	}
	if s, _ := does(t, nc, "drain", `{"why":"`+strings.Repeat("x", 1001)+`"}`); s.State != "" || b.gate.isClosed() {
		t.Errorf("a drain for a reason too long: %+v", s)
	}
	if s, _ := does(t, nc, "drain", `{"why":"its disk is full"}`); s.State != stateDraining || s.Drain != jobqueue.DrainCommand || !b.gate.isClosed() {
		t.Errorf("drain: %+v", s)
	}
	if told := b.awaitDrain(t, jobqueue.DrainCommand, 1); told.DrainBy != "operator" || told.DrainWhy != "its disk is full" { // long before the next heartbeat
		t.Errorf("told %+v", told)
	}
	b.letGo(d.Message.PhotoID)
	b.awaitDrain(t, jobqueue.DrainCommand, 0)
	if s, _ := does(t, nc, "status", ""); s.State != stateDrained {
		t.Errorf("drained: %+v", s)
	}
	if s, _ := does(t, nc, "resume", ""); s.State != stateIdle || b.gate.isClosed() {
		t.Errorf("resumed: %+v", s)
	}
	if told := b.awaitDrain(t, "", 0); told.DrainBy != "" || told.DrainWhy != "" {
		t.Errorf("resumed, told %+v", told)
	}

	records, err := b.store.ListAudit(t.Context(), 10)
	if err != nil || len(records) != 2 {
		t.Fatalf("recorded %+v, %v", records, err)
	}
	for i, action := range []string{"worker.resume", "worker.drain"} {
		if r := records[i]; r.Action != action || r.Actor != "operator" || r.Subject != "w-test" {
			t.Errorf("record %d: %+v", i, r)
		}
	}
	b.mu.Lock()
	b.stopping = true
	b.mu.Unlock()
	if _, code := does(t, nc, "resume", ""); code != problem.CodeConflict {
		t.Errorf("resumed a process that ends: %q", code)
	}
}

// TestFleetShowsItself: `nats micro ls` and `stats` tell the workers apart and show
// their numbers.
func TestFleetShowsItself(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	nc := b.answering(t)
	does(t, nc, "status", "")
	answer, err := nc.Request("$SRV.STATS.maskfleet-worker", nil, patience)
	if err != nil {
		t.Fatal(err)
	}
	var stats micro.Stats
	if err := json.Unmarshal(answer.Data, &stats); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(stats.Metadata["worker_id"], " ", string(stats.Endpoints[0].Data)); got != `w-test {"state":"idle","slots":4,"busy":0,"model":""}` {
		t.Errorf("got %s", got)
	}
}
