package manager_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/testenv"
)

const soon = 2 * time.Minute

// operator types commands at a site.
type operator struct {
	*site
	t  *testing.T
	nc *nats.Conn
}

func (s *site) operator(t *testing.T) operator {
	t.Helper()
	cfg := s.nats.As("operator")
	nc, err := nats.Connect(cfg.URL, nats.UserInfo(cfg.User, cfg.Password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	o := operator{s, t, nc}
	o.until("the manager answers", func() bool {
		_, err := nc.Request("$SRV.PING.maskfleet-manager", nil, soon)
		return err == nil
	})
	return o
}

// does types a command that must be done, and reads its answer.
func (o operator) does(subject, request string, answer any) {
	o.t.Helper()
	msg, err := o.nc.Request("maskfleet."+subject, []byte(request), soon)
	if err != nil {
		o.t.Fatalf("%s %s: %v", subject, request, err)
	}
	if code := msg.Header.Get(micro.ErrorCodeHeader); code != "" {
		o.t.Fatalf("%s %s: %s %s", subject, request, code, msg.Data)
	}
	if err := json.Unmarshal(msg.Data, answer); err != nil {
		o.t.Fatalf("%s %s: %s: %v", subject, request, msg.Data, err)
	}
}

// isTold types a command that must be refused.
func (o operator) isTold(code, subject, request string) {
	o.t.Helper()
	msg, err := o.nc.Request("maskfleet."+subject, []byte(request), soon)
	if err != nil {
		o.t.Fatalf("%s %s: %v", subject, request, err)
	}
	if got := msg.Header.Get(micro.ErrorCodeHeader); got != code {
		o.t.Errorf("%s %s: got %q %s, want %s", subject, request, got, msg.Data, code)
	}
}

func (o operator) until(what string, holds func() bool) {
	o.t.Helper()
	for deadline := time.Now().Add(soon); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			o.t.Fatalf("never: %s", what)
		}
	}
}

func (o operator) find(id job.ID) job.Photo {
	o.t.Helper()
	p, err := o.doors.Store.Find(o.t.Context(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// claim has a worker take the photo in hand, and gives the fence.
func (o operator) claim(p job.Photo) int {
	o.t.Helper()
	claimed, refusal, _, err := o.doors.Store.Claim(o.t.Context(), p.ID, o.find(p.ID).Row.Publication, "w-1", time.Hour)
	if err != nil || refusal != job.RefusedNone {
		o.t.Fatalf("claiming: %q, %v", refusal, err)
	}
	return claimed.Row.Fence
}

// fail has a worker end the photo, as it is now, with the code.
func (o operator) fail(p job.Photo, code job.Code, model string) {
	o.t.Helper()
	store, fence := o.doors.Store, o.claim(p)
	f := &job.Failure{Code: code, Model: job.Model{Name: "maskfleet", Version: model}, Cause: fmt.Errorf("what the log knows")}
	if changed, err := store.Fail(o.t.Context(), p.ID, fence, f); err != nil || !changed {
		o.t.Fatalf("failing: %t, %v", changed, err)
	}
	if err := o.doors.Queue.DeadLetter(o.t.Context(), job.NewDeadLetter(o.find(p.ID))); err != nil {
		o.t.Fatal(err)
	}
}

type photos struct {
	Photos []struct {
		ID    job.ID
		Owner string
		State job.State
		Code  job.Code
	}
	Next job.ID
}

func (p photos) ids() (ids []job.ID) {
	for _, one := range p.Photos {
		ids = append(ids, one.ID)
	}
	return ids
}

func TestJobsListAndGet(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	first, second, third := s.accept(t), s.accept(t), s.accept(t)
	o.fail(second, job.CodeInternal, "3")

	var list photos
	o.does("jobs.list", "", &list)
	if got := fmt.Sprint(list.ids()); got != fmt.Sprint([]job.ID{third.ID, second.ID, first.ID}) || list.Next != (job.ID{}) {
		t.Errorf("all: %+v", list)
	}
	list = photos{}
	o.does("jobs.list", `{"limit":2}`, &list)
	if len(list.Photos) != 2 || list.Next != second.ID {
		t.Errorf("first page: %+v", list)
	}
	list = photos{}
	o.does("jobs.list", fmt.Sprintf(`{"limit":2,"before":%q}`, second.ID), &list)
	if len(list.Photos) != 1 || list.Photos[0].ID != first.ID || list.Next != (job.ID{}) {
		t.Errorf("last page: %+v", list)
	}
	list = photos{}
	o.does("jobs.list", `{"state":"failed","code":"internal","lane":"interactive","from":"2020-01-01T00:00:00Z"}`, &list)
	if len(list.Photos) != 1 || list.Photos[0].ID != second.ID || list.Photos[0].Code != job.CodeInternal {
		t.Errorf("those that failed: %+v", list)
	}
	owner, err := s.doors.Store.FindUser(t.Context(), first.OwnerID)
	if err != nil {
		t.Fatal(err)
	}
	list = photos{}
	o.does("jobs.list", fmt.Sprintf(`{"owner":%q}`, owner.Username), &list)
	if len(list.Photos) != 1 || list.Photos[0].ID != first.ID || list.Photos[0].Owner != owner.Username {
		t.Errorf("one owner's: %+v", list)
	}
	for request, code := range map[string]string{
		`{"state":"done"}`: problem.CodeInvalidRequest, `{"lane":"fast"}`: problem.CodeInvalidRequest, `{"limit":201}`: problem.CodeInvalidRequest,
		`{"limit":-1}`: problem.CodeInvalidRequest, `{"owner":"nobody"}`: problem.CodeNotFound, `{"status":"failed"}`: problem.CodeInvalidRequest,
		`{"dry_run":true}`: problem.CodeInvalidRequest, `{"model":"maskfleet 3"}`: problem.CodeInvalidRequest,
	} {
		o.isTold(code, "jobs.list", request)
	}

	s.doors.Queue.Announce(t.Context(), second.ID, jobqueue.StageFailed, nil)
	if err := s.doors.Queue.Publish(t.Context(), job.NewMessage(third, 1)); err != nil {
		t.Fatal(err)
	}
	var got struct {
		ID      job.ID
		State   job.State
		Row     struct{ Publication, Fence, Attempts int }
		Message struct {
			Live        bool
			Publication int
		}
		Failure  struct{ Code, Cause string }
		Timeline []struct{ Stage string }
	}
	o.until("the event is told", func() bool {
		o.does("jobs.get", fmt.Sprintf(`{"id":%q}`, second.ID), &got)
		return len(got.Timeline) > 0
	})
	if got.ID != second.ID || got.State != job.StateFailed || got.Row.Fence != 1 || got.Row.Attempts != 1 || got.Message.Live ||
		got.Failure.Code != "internal" || got.Failure.Cause != "what the log knows" || got.Timeline[0].Stage != "failed" {
		t.Errorf("the one that failed: %+v", got)
	}
	o.does("jobs.get", fmt.Sprintf(`{"id":%q}`, third.ID), &got)
	if !got.Message.Live || got.Message.Publication != 1 {
		t.Errorf("the one on the broker: %+v", got)
	}
	o.isTold(problem.CodeNotFound, "jobs.get", fmt.Sprintf(`{"id":%q}`, newPhotoID(t)))
}

func newPhotoID(t *testing.T) job.ID {
	t.Helper()
	id, err := job.NewID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestJobsSubmitRetryCancel(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	var submitted struct {
		ID     job.ID
		DryRun bool `json:"dry_run"`
	}
	const request = `{"url":"https://example.com/a.jpg","owner":"ann"`
	o.does("jobs.submit", request+`,"dry_run":true}`, &submitted)
	if submitted.ID != (job.ID{}) || !submitted.DryRun {
		t.Errorf("dry run: %+v", submitted)
	}
	o.does("jobs.submit", request+`}`, &submitted)
	p := o.find(submitted.ID)
	if _, live, err := s.doors.Queue.Live(t.Context(), p.Lane, p.ID); err != nil || !live || !p.Row.Confirmed || p.Link != "https://example.com/a.jpg" {
		t.Errorf("submitted: %+v, on the broker %t, %v", p, live, err)
	}
	for request, code := range map[string]string{
		`{"url":"ftp://example.com","owner":"ann"}`:                             problem.CodeInvalidLink,
		`{"url":"https://example.com/a.jpg"}`:                                   problem.CodeMissingField,
		`{"url":"https://example.com/a.jpg","owner":"nobody"}`:                  problem.CodeNotFound,
		`{"url":"https://example.com/a.jpg","owner":"ann","lane":"interactiv"}`: problem.CodeInvalidRequest,
		`{"url":"https://example.com/a.jpg","owner":"ann","s3_uri":"s3://a/b"}`: problem.CodeInvalidRequest,
	} {
		o.isTold(code, "jobs.submit", request)
	}

	var answer struct {
		Retried, Cancelled int
		Refused            []struct{ Code string }
		DryRun             bool `json:"dry_run"`
	}
	failed, waiting, unknown := s.accept(t), s.accept(t), newPhotoID(t)
	o.fail(failed, job.CodeInternal, "3")
	list := fmt.Sprintf(`{"ids":[%q,%q,%q]`, failed.ID, waiting.ID, unknown)
	o.does("jobs.retry", list+`,"dry_run":true}`, &answer)
	if answer.Retried != 1 || len(answer.Refused) != 2 || !answer.DryRun || o.find(failed.ID).Row.State != job.StateFailed {
		t.Errorf("dry run of a retry: %+v", answer)
	}
	o.does("jobs.retry", list+`}`, &answer)
	if answer.Retried != 1 || answer.Refused[0].Code != problem.CodeConflict || answer.Refused[1].Code != problem.CodeNotFound {
		t.Errorf("retry: %+v", answer)
	}
	if p := o.find(failed.ID); p.Row.State != job.StateQueued || p.Row.Publication != 2 || !p.Row.Confirmed {
		t.Errorf("retried: %+v", p.Row)
	}
	o.does("jobs.cancel", list+`,"dry_run":true}`, &answer)
	if answer.Cancelled != 2 || o.find(waiting.ID).Row.State != job.StateQueued {
		t.Errorf("dry run of a cancellation: %+v", answer)
	}
	o.does("jobs.cancel", list+`}`, &answer)
	if answer.Cancelled != 2 || o.find(waiting.ID).Row.State != job.StateCancelled {
		t.Errorf("cancelled: %+v", answer)
	}
	o.isTold(problem.CodeInvalidRequest, "jobs.cancel", `{}`)
	o.isTold(problem.CodeInvalidRequest, "jobs.retry", `{"ids":["a"]}`)

	records, err := s.doors.Store.ListAudit(t.Context(), 10)
	if err != nil || len(records) != 3 {
		t.Fatalf("recorded %+v, %v; want what was done, and no dry run", records, err)
	}
	for i, action := range []string{"jobs.cancel", "jobs.retry", "jobs.submit"} {
		if r := records[i]; r.Action != action || r.Actor != "operator" || r.Detail["via"] != "nats" {
			t.Errorf("record %d: %+v", i, r)
		}
	}
}

type redriven struct {
	Redriven, Left, Refused int
	Lane                    job.Lane
	LastDueIn               string `json:"last_due_in"`
}

func TestDeadLettersAreListedRedrivenAndDiscarded(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	var crashed []job.Photo
	for range 4 {
		p := s.accept(t)
		crashed = append(crashed, p)
		o.fail(p, job.CodeDecoderCrashed, "3")
	}
	other := s.accept(t)
	o.fail(other, job.CodeInternal, "4")

	var list struct {
		Total  int
		Groups []struct {
			Reason job.Code
			Model  string
			Photos int
		}
		Letters []struct {
			ID             job.ID
			Message, Cause string
		}
		Next job.ID
	}
	o.does("jobs.dead.list", `{"reason":"decoder_crashed","limit":3}`, &list)
	if list.Total != 5 || len(list.Groups) != 2 || list.Groups[0].Photos != 4 || list.Groups[0].Model != "maskfleet 3" ||
		len(list.Letters) != 3 || list.Letters[0].ID != crashed[3].ID || list.Letters[0].Cause == "" || list.Next != crashed[1].ID {
		t.Errorf("listed %+v", list)
	}

	var got redriven
	const these = `{"reason":"decoder_crashed","model":"maskfleet 3","limit":3,"per_second":0.5,"canary":true`
	o.does("jobs.dead.redrive", these+`,"dry_run":true}`, &got)
	if want := (redriven{3, 1, 0, job.LaneCanary, "4s"}); got != want || o.find(crashed[0].ID).Row.State != job.StateFailed {
		t.Errorf("dry run: %+v, want %+v", got, want)
	}
	o.does("jobs.dead.redrive", these+`}`, &got)
	if want := (redriven{3, 1, 0, job.LaneCanary, "4s"}); got != want {
		t.Errorf("re-driven %+v, want %+v", got, want)
	}
	for i, p := range crashed {
		now := o.find(p.ID)
		if i == 3 { // the newest is left
			if now.Row.State != job.StateFailed {
				t.Errorf("photo %d is %s", i, now.Row.State)
			}
			continue
		}
		if now.Row.State != job.StateQueued || now.Lane != job.LaneCanary || now.Row.Due != (i == 0) {
			t.Errorf("photo %d: lane %s, %+v", i, now.Lane, now.Row)
		}
	}
	for _, request := range []string{`{}`, `{"limit":5}`, `{"reason":"crashed"}`, `{"reason":"internal","limit":5001}`, `{"reason":"internal","per_second":-1}`} {
		o.isTold(problem.CodeInvalidRequest, "jobs.dead.redrive", request)
	}

	var discarded struct{ Discarded, Left int }
	aside := fmt.Sprintf(`{"ids":[%q]`, other.ID)
	o.does("jobs.dead.discard", aside+`,"dry_run":true}`, &discarded)
	if before, err := s.doors.Queue.DeadLetters(t.Context()); discarded.Discarded != 1 || before != 5 || err != nil {
		t.Errorf("dry run: %+v, DEAD holds %d, %v", discarded, before, err)
	}
	o.does("jobs.dead.discard", aside+`}`, &discarded)
	if after, err := s.doors.Queue.DeadLetters(t.Context()); discarded.Discarded != 1 || after != 4 || err != nil {
		t.Errorf("discarded %+v, DEAD holds %d, %v", discarded, after, err)
	}
	list.Letters = nil
	o.does("jobs.dead.list", "", &list)
	if list.Total != 1 || len(list.Letters) != 1 || list.Letters[0].ID != crashed[3].ID || o.find(other.ID).Row.State != job.StateFailed {
		t.Errorf("afterwards: %+v", list)
	}
	discardStrays(o)
}

// discardStrays: letters without a row are known by their reason alone.
func discardStrays(o operator) {
	o.t.Helper()
	worker, err := jobqueue.Open(o.t.Context(), o.nats.As(testenv.NATSTester), testenv.Logger(o.t))
	if err != nil {
		o.t.Fatal(err)
	}
	defer worker.Close()
	if err := worker.Publish(o.t.Context(), job.NewMessage(job.Photo{ID: newPhotoID(o.t), Lane: job.LaneBatch}, 1)); err != nil {
		o.t.Fatal(err)
	}
	d, err := worker.FetchWait(o.t.Context(), job.LaneBatch, soon)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := worker.DeadLetterUnknown(o.t.Context(), jobqueue.ReasonUnknown, d); err != nil {
		o.t.Fatal(err)
	}
	var discarded struct{ Discarded int }
	for _, want := range []int{1, 1, 0} {
		request := `{"reason":"unknown"}`
		if want == 1 && discarded.Discarded == 0 {
			request = `{"reason":"unknown","dry_run":true}`
		}
		o.does("jobs.dead.discard", request, &discarded)
		if discarded.Discarded != want {
			o.t.Errorf("%s: discarded %d, want %d", request, discarded.Discarded, want)
		}
	}
}

func TestPausesOfLanesAndIntake(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	p := s.accept(t)
	if err := s.doors.Queue.Publish(t.Context(), job.NewMessage(p, 1)); err != nil {
		t.Fatal(err)
	}
	var lane struct {
		PausedUntil time.Time `json:"paused_until"`
		WasPaused   bool      `json:"was_paused"`
		Pending     int
	}
	paused := func() time.Duration {
		depths, err := s.doors.Queue.Depth(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return depths[job.LaneInteractive].Paused
	}
	o.does("lanes.pause", `{"lane":"interactive","for":"30m","dry_run":true}`, &lane)
	if lane.Pending != 1 || lane.WasPaused || paused() != 0 {
		t.Errorf("dry run: %+v, paused for %s", lane, paused())
	}
	o.does("lanes.pause", `{"lane":"interactive","for":"30m"}`, &lane)
	if left := time.Until(lane.PausedUntil); left < 20*time.Minute || left > 30*time.Minute || paused() < 20*time.Minute {
		t.Errorf("paused: %+v, for %s", lane, paused())
	}
	o.does("lanes.resume", `{"lane":"interactive"}`, &lane)
	if !lane.WasPaused || paused() != 0 {
		t.Errorf("resumed: %+v, paused for %s", lane, paused())
	}

	var intake struct {
		PausedUntil time.Time `json:"paused_until"`
		WasPaused   bool      `json:"was_paused"`
	}
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	request := fmt.Sprintf(`{"until":%q,"reason":"the store moves"`, until.Format(time.RFC3339))
	o.does("intake.pause", request+`,"dry_run":true}`, &intake)
	if got, err := s.doors.Queue.Intake(t.Context()); err != nil || got != (jobqueue.Intake{}) {
		t.Errorf("dry run set %+v, %v", got, err)
	}
	o.does("intake.pause", request+`}`, &intake)
	want := jobqueue.Intake{PausedUntil: until, Reason: "the store moves", By: "operator"}
	if got, err := s.doors.Queue.Intake(t.Context()); err != nil || got != want || intake.WasPaused {
		t.Errorf("paused %+v, %v, want %+v", got, err, want)
	}
	o.isTold(problem.CodeIntakePaused, "jobs.submit", `{"url":"https://example.com/a.jpg","owner":"ann"}`)
	o.does("intake.resume", "", &intake)
	if got, err := s.doors.Queue.Intake(t.Context()); err != nil || got.Paused(time.Now()) || !intake.WasPaused {
		t.Errorf("resumed: %+v, %v", got, err)
	}
	for _, time := range []string{``, `,"for":"30m","until":"2099-01-01T00:00:00Z"`, `,"for":"-1s"`, `,"until":"2020-01-01T00:00:00Z"`, `,"for":"200h"`, `,"for":"soon"`} {
		o.isTold(problem.CodeInvalidRequest, "lanes.pause", `{"lane":"batch"`+time+`}`)
		o.isTold(problem.CodeInvalidRequest, "intake.pause", `{"reason":"x"`+time+`}`)
	}
	o.isTold(problem.CodeMissingField, "lanes.pause", `{"for":"30m"}`)
	o.isTold(problem.CodeInvalidRequest, "lanes.resume", `{"lane":"fast"}`)
}

// TestEveryCommandIsDescribed: `nats micro info` shows what to type, and the examples
// are requests that the command can read.
func TestEveryCommandIsDescribed(t *testing.T) {
	t.Parallel()
	o := openSite(t).operator(t)
	msg, err := o.nc.Request("$SRV.INFO.maskfleet-manager", nil, soon)
	if err != nil {
		t.Fatal(err)
	}
	var info micro.Info
	if err := json.Unmarshal(msg.Data, &info); err != nil {
		t.Fatal(err)
	}
	if len(info.Endpoints) != 16 {
		t.Errorf("%d commands, want 16", len(info.Endpoints))
	}
	for _, e := range info.Endpoints {
		m := e.Metadata
		if !strings.HasSuffix(m["does"], ".") || strings.Contains(m["request"]+m["answer"], "0001-01-01") {
			t.Errorf("%s is described by %v", e.Subject, m)
		}
		request := m["request"]
		if m["changes"] != "" {
			request = strings.Replace(request, "{", `{"dry_run":true,`, 1)
			request = strings.Replace(request, ",}", "}", 1)
		}
		answer, err := o.nc.Request(e.Subject, []byte(request), soon)
		if err != nil {
			t.Fatal(err)
		}
		// The example's photo does not exist; that is another answer than "cannot be read".
		if code := answer.Header.Get(micro.ErrorCodeHeader); code != "" && code != problem.CodeNotFound {
			t.Errorf("%s %s: %s %s", e.Subject, request, code, answer.Data)
		}
	}
}
