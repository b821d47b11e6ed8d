package manager_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/problem"
)

type trial struct {
	Worker                  string
	Alive, Lasts            bool
	Succeeded, Failed, Open int
	Photos                  []struct {
		ID    job.ID
		State job.State
	}
}

// TestATrialIsAtOneWorker: a few of a group go to the worker that was chosen, their
// fate is told, and what is left is tried everywhere.
func TestATrialIsAtOneWorker(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	var crashed []job.Photo
	for range 3 {
		p := s.accept(t)
		o.fail(p, job.CodeDecoderCrashed, "3")
		crashed = append(crashed, p)
	}
	these := `{"reason":"decoder_crashed","limit":2,"worker":"w-1"`
	o.isTold(problem.CodeConflict, "jobs.dead.redrive", these+`}`) // nobody is there
	o.isTold(problem.CodeInvalidRequest, "jobs.dead.redrive", `{"reason":"decoder_crashed","limit":101,"worker":"w-1"}`)
	for _, w := range []jobqueue.Worker{{ID: "w-1", Slots: 2}, {ID: "w-2", Slots: 2}, {ID: "w-3", Slots: 2, Draining: true}} {
		if err := s.doors.Queue.PutWorker(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	o.isTold(problem.CodeConflict, "jobs.dead.redrive", strings.Replace(these, "w-1", "w-3", 1)+`}`)
	var none, going trial
	o.does("jobs.dead.redrive", these+`,"dry_run":true}`, &struct{}{})
	if o.does("jobs.dead.trial", "", &none); none.Worker != "" || len(none.Photos) != 0 {
		t.Errorf("a dry run began %+v", none)
	}

	token := s.somebody(t, "olga", "operator")
	eventually(t, "the two that take photos may be chosen", func() bool {
		page := s.page(t, "/failures/redrive?reason=decoder_crashed&model=maskfleet+3", token)
		return strings.Contains(page, `<option value="w-1" selected>`) && strings.Contains(page, `value="w-2"`) && !strings.Contains(page, `value="w-3"`)
	})
	form := url.Values{"reason": {"decoder_crashed"}, "model": {"maskfleet 3"}, "limit": {"2"}, "per_second": {"0"}, "worker": {"w-1"}, "confirmed": {"yes"}}
	if response := s.ask(t, http.MethodPost, "/failures/redrive", token, form.Encode()); response.StatusCode != http.StatusSeeOther {
		t.Fatalf("the form was answered with %d", response.StatusCode)
	}
	s.audited(t, "jobs.dead.redrive", "olga", "page", `"worker":"w-1"`)
	if o.does("jobs.dead.trial", "", &going); going.Worker != "w-1" || !going.Alive || !going.Lasts || going.Open != 2 || going.Photos[0].ID != crashed[1].ID {
		t.Errorf("the trial: %+v", going)
	}
	if kept, err := s.doors.Queue.Trial(t.Context()); err != nil || kept.Admits("w-2", time.Now()) || !kept.Admits("w-1", time.Now()) || kept.By != "olga" {
		t.Errorf("the lane is %+v, %v", kept, err)
	}
	if p := o.find(crashed[0].ID); p.Lane != job.LaneCanary {
		t.Errorf("the oldest waits in %s", p.Lane)
	}
	o.isTold(problem.CodeConflict, "jobs.dead.redrive", `{"reason":"decoder_crashed","worker":"w-2"}`) // one at a time
	o.isTold(problem.CodeConflict, "jobs.dead.redrive", `{"reason":"decoder_crashed","canary":true}`)  // they would wait
	eventually(t, "the lane is said to be kept", func() bool {
		return strings.Contains(s.page(t, "/", token), "The canary lane is kept for w-1") && strings.Contains(s.page(t, "/queue", token), ">Kept</span>")
	})
	var ended struct {
		WasGoing bool `json:"was_going"`
	}
	if o.does("jobs.dead.trial.end", "", &ended); !ended.WasGoing {
		t.Error("no trial was ended")
	}
	if kept, err := s.doors.Queue.Trial(t.Context()); err != nil || !kept.Admits("w-2", time.Now().Add(time.Second)) || len(kept.Photos) != 2 {
		t.Errorf("the lane is %+v, %v", kept, err)
	}
	if o.does("jobs.dead.trial.end", "", &ended); ended.WasGoing {
		t.Error("a trial was ended twice")
	}

	o.fail(crashed[0], job.CodeDecoderCrashed, "3")
	fence := o.claim(crashed[1])
	if _, err := s.doors.Store.Finish(t.Context(), crashed[1].ID, fence, job.Result{Model: job.Model{Name: "maskfleet", Version: "4"}}); err != nil {
		t.Fatal(err)
	}
	if o.does("jobs.dead.trial", "", &going); going.Open != 0 || going.Succeeded != 1 || going.Failed != 1 {
		t.Errorf("the trial's end: %+v", going)
	}
	if page := s.page(t, "/failures", token); !strings.Contains(page, "1 of 2 succeeded, 1 failed again.") || strings.Contains(page, "Try the other") {
		t.Errorf("the page says of it: %s", page)
	}
}

// page is what a person sees at an address.
func (s *site) page(t *testing.T, path, token string) string {
	t.Helper()
	text, err := io.ReadAll(s.ask(t, http.MethodGet, path, token, "").Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
