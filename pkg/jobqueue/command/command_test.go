package command_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
)

func TestRefusalsHaveCodeSentenceAndField(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	nc := d.person(t, "operator")
	for request, want := range map[string]struct{ code, field string }{
		`{"id":"b"}`:                      {problem.CodeNotFound, ""},
		`{"id":"a","shade":"dark"}`:       {problem.CodeInvalidRequest, "shade"},
		`{"id":"a","dry_run":true}`:       {problem.CodeInvalidRequest, "dry_run"}, // it changes nothing anyway
		`{"id":7}`:                        {problem.CodeInvalidRequest, "id"},
		`{"id":"a","for":"long"}`:         {problem.CodeInvalidRequest, "for"},
		`{"id":"a"} {"id":"b"}`:           {problem.CodeInvalidRequest, ""},
		`id=a`:                            {problem.CodeInvalidRequest, ""},
		`["a"]`:                           {problem.CodeInvalidRequest, ""},
		`{"id":"a","colour":"` + "\x01\"": {problem.CodeInvalidRequest, ""},
	} {
		answer := ask(t, nc, "maskfleet.jobs.find", request, nil)
		var document problem.Document
		if err := json.Unmarshal(answer.Data, &document); err != nil {
			t.Fatalf("%s: %q: %v", request, answer.Data, err)
		}
		if got := answer.Header.Get(micro.ErrorCodeHeader); got != want.code || document.Code != want.code {
			t.Errorf("%s: code %q in the header, %q in the body; want %q", request, got, document.Code, want.code)
		}
		if got := answer.Header.Get(micro.ErrorHeader); got != document.Detail || !strings.HasSuffix(got, ".") {
			t.Errorf("%s: sentence %q in the header, %q in the body", request, got, document.Detail)
		}
		if want.field != "" && (len(document.Errors) != 1 || document.Errors[0].Field != want.field) {
			t.Errorf("%s: names %+v, want the field %s", request, document.Errors, want.field)
		}
	}
	if answer := ask(t, nc, "maskfleet.jobs.find", `{"id":"a","for":"90s"}`, nil); string(answer.Data) != `{"painted":1}` {
		t.Errorf("got %q %v", answer.Data, answer.Header)
	}
}

func TestDryRunSaysSoAndIsNotRecorded(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	nc := d.person(t, "operator")
	if got := ask(t, nc, "maskfleet.jobs.paint", `{"id":"a","dry_run":true}`, nil).Data; string(got) != `{"dry_run":true,"painted":1}` {
		t.Errorf("got %q", got)
	}
	if call := d.call(t); !call.DryRun {
		t.Error("the command was not told that it is a dry run")
	}
	for _, unclear := range []string{`"yes"`, `1`, `null`} { // must not do it
		answer := ask(t, nc, "maskfleet.jobs.paint", `{"id":"a","dry_run":`+unclear+`}`, nil)
		if answer.Header.Get(micro.ErrorCodeHeader) != problem.CodeInvalidRequest {
			t.Errorf("%s: got %q %v", unclear, answer.Data, answer.Header)
		}
	}
	if records, err := d.store.ListAudit(t.Context(), 10); err != nil || len(records) > 0 {
		t.Errorf("recorded %+v, %v", records, err)
	}
}

func TestWhatIsDoneIsRecordedAndTold(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	told, err := d.person(t, "operator").SubscribeSync("events.audit.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := told.SetPendingLimits(100, -1); err != nil {
		t.Fatal(err)
	}
	manager := openQueue(t, d.broker.As("manager"))
	got, err := command.Ask[painted](t.Context(), manager, "maskfleet.jobs.paint", command.Asker{Name: "ann", Via: command.ViaPage}, paint{ID: "a"})
	if err != nil || got.Painted != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if _, err = command.Ask[painted](t.Context(), manager, "maskfleet.jobs.paint", command.Asker{}, paint{ID: "a", Colour: "gone"}); problem.From(err).Code != problem.CodeUnavailable {
		t.Fatalf("got %v, want %s", err, problem.CodeUnavailable)
	}
	records, err := d.store.ListAudit(t.Context(), 10)
	if err != nil || len(records) != 2 {
		t.Fatalf("recorded %+v, %v", records, err)
	}
	for i, want := range []struct{ actor, via, outcome, request, answer string }{
		{"manager", "nats", "unavailable", `{"id":"a","colour":"gone"}`, ""},
		{"ann", "page", "done", `{"id":"a"}`, `{"painted":1}`},
	} {
		r := records[i]
		if r.Actor != want.actor || r.Action != "jobs.paint" || r.Subject != "a" || r.Detail["via"] != want.via ||
			r.Detail["outcome"] != want.outcome || r.Detail["request"] != want.request || r.Detail["answer"] != want.answer || r.Detail["host"] == "" {
			t.Errorf("record %d is %+v, want %+v", i, r, want)
		}
		msg, err := told.NextMsg(soon)
		if err != nil {
			t.Fatal(err)
		}
		var event struct{ ID, Actor string }
		if err := json.Unmarshal(msg.Data, &event); err != nil {
			t.Fatal(err)
		}
		if earlier := records[len(records)-1-i]; msg.Subject != "events.audit.jobs.paint" || event.Actor != earlier.Actor || event.ID != earlier.ID.String() {
			t.Errorf("told %s: %s", msg.Subject, msg.Data)
		}
	}
}

func TestFaultsEndTheCommandAndNothingElse(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	short := command.Change("jobs.hurry", "Takes its time.", paint{}, painted{}, d.paint).Within(50 * time.Millisecond)
	offer(t, d.serve(t, "manager"), command.Service{Name: "maskfleet-hurry", Does: "hurries"}, short)
	nc := d.person(t, "operator")
	answer := ask(t, nc, "maskfleet.jobs.paint", `{"colour":"fault"}`, nil)
	if answer.Header.Get(micro.ErrorCodeHeader) != problem.CodeInternal || strings.Contains(string(answer.Data), "out of range") {
		t.Errorf("got %q %v", answer.Data, answer.Header)
	}
	if got := ask(t, nc, "maskfleet.jobs.hurry", `{"colour":"slow"}`, nil).Header.Get(micro.ErrorCodeHeader); got != problem.CodeUnavailable {
		t.Errorf("a command past its time is answered %q", got)
	}
	if got := ask(t, nc, "maskfleet.jobs.paint", `{"id":"a"}`, nil).Data; string(got) != `{"painted":1}` {
		t.Errorf("after the fault: got %q", got)
	}
}

func TestServiceShowsItself(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	worker := d.serve(t, "worker")
	withdraw := offer(t, worker, command.Service{Name: "maskfleet-worker", Does: "works", Area: "worker", Member: "w-1"},
		command.Change("drain", "Drains.", struct{}{}, painted{}, func(context.Context, command.Call, struct{}) (painted, error) { return painted{}, nil }))
	nc := d.person(t, "operator")

	var info micro.Info
	if err := json.Unmarshal(ask(t, nc, "$SRV.INFO.maskfleet-manager", "", nil).Data, &info); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"does": "Paints a thing.", "request": `{"id":"a","colour":"red"}`, "answer": `{"painted":1}`,
		"changes": `yes; "dry_run": true only says what it would do`,
	}
	if diff := cmp.Diff(want, info.Endpoints[1].Metadata); diff != "" || info.Endpoints[1].Subject != "maskfleet.jobs.paint" {
		t.Errorf("endpoint %s (-want +got):\n%s", info.Endpoints[1].Subject, diff)
	}
	var stats micro.Stats
	if err := json.Unmarshal(ask(t, nc, "$SRV.STATS.maskfleet-manager", "", nil).Data, &stats); err != nil || string(stats.Endpoints[0].Data) != `{"photos":3}` {
		t.Errorf("own numbers: %s, %v", stats.Endpoints[0].Data, err)
	}
	if names := everyService(t, nc); len(names) != 2 || !names["maskfleet-manager"] || !names["maskfleet-worker"] {
		t.Errorf("ping is answered by %v", names)
	}
	ask(t, nc, "maskfleet.worker.w-1.drain", "", nil)
	records, err := d.store.ListAudit(t.Context(), 1)
	if err != nil || len(records) != 1 || records[0].Action != "worker.drain" || records[0].Subject != "w-1" {
		t.Errorf("recorded %+v, %v", records, err)
	}

	withdraw()
	manager := openQueue(t, d.broker.As("manager"))
	eventually(t, "withdrawn", func() bool {
		_, err := command.Ask[painted](t.Context(), manager, "maskfleet.worker.w-1.drain", command.Asker{}, struct{}{})
		return err != nil && problem.From(err).Code == problem.CodeUnavailable // nil: it was quicker than the withdrawal
	})
}

// everyService asks who is there, as `nats micro ls` does.
func everyService(t *testing.T, nc *nats.Conn) map[string]bool {
	t.Helper()
	inbox, err := nc.SubscribeSync(nc.NewInbox())
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.PublishRequest("$SRV.PING", inbox.Subject, nil); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for range 2 {
		msg, err := inbox.NextMsg(soon)
		if err != nil {
			t.Fatal(err)
		}
		var ping micro.Ping
		if err := json.Unmarshal(msg.Data, &ping); err != nil {
			t.Fatal(err)
		}
		names[ping.Name] = true
	}
	return names
}

// TestOneOfManyAnswers: several managers may run, and each request is served once.
func TestOneOfManyAnswers(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	offer(t, d.serve(t, "manager"), command.Service{Name: "maskfleet-manager", Does: "answers, too"},
		command.Change("jobs.paint", "Paints a thing.", paint{}, painted{}, d.paint))
	nc := d.person(t, "operator")
	const requests = 20
	for range requests {
		ask(t, nc, "maskfleet.jobs.paint", `{"id":"a"}`, nil)
	}
	if got := len(d.calls); got != requests {
		t.Errorf("%d requests were served %d times", requests, got)
	}
}

func TestNobodyIsSaidToBeUnavailable(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	_, err := command.Ask[painted](t.Context(), openQueue(t, d.broker.As("manager")), "maskfleet.scaler.grow", command.Asker{}, nil)
	if problem.From(err).Code != problem.CodeUnavailable {
		t.Errorf("got %v, want %s", err, problem.CodeUnavailable)
	}
	if _, err := openQueue(t, d.broker.As("manager")).Request(t.Context(), "maskfleet.scaler.grow", nil, nil); !errors.Is(err, jobqueue.ErrNobody) {
		t.Errorf("got %v, want ErrNobody", err)
	}
}
