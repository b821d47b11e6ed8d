package manager_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui/browser"
)

// ownedBy stores a photo of an account, with an object.
func (s *site) ownedBy(t *testing.T, owner jobstore.User) job.Photo {
	t.Helper()
	p := s.accept(t)
	p.ID, p.OwnerID = newPhotoID(t), owner.ID
	if err := s.doors.Store.Accept(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := s.doors.Images.Put(t.Context(), imagestore.OriginalKey(p), "image/jpeg", []byte("a photo")); err != nil {
		t.Fatal(err)
	}
	return p
}

// remove does what a front door does with tombstones.
func (s *site) remove(t *testing.T) {
	t.Helper()
	marked, err := s.doors.Store.PhotosToErase(t.Context(), jobstore.Erasable{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range marked {
		if _, err := s.doors.Images.DeleteUnder(t.Context(), imagestore.PhotoPrefix(p.Day(), p.ID)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.doors.Store.Remove(t.Context(), p.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnAccountsPhotosAreErasedByPage(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	ann, err := s.doors.Store.FindUserByName(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	s.ownedBy(t, ann)
	s.ownedBy(t, ann)

	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/erase")
	tab.Type(`[name="owner"]`, "ann")
	tab.Await(`document.getElementById('erase-command').textContent.includes('{"what":"owner","owner":"ann","dry_run":true}')`)
	tab.Click("form .danger")
	tab.Await(`document.querySelector('h1').textContent === 'Erase all photos of ann?'`)
	tab.Await(`document.querySelector('.facts').textContent.includes('Objects in S32')`)
	tab.Type("#typed", "erase bob")
	if off := browser.Eval[bool](tab, `document.querySelector('[name="confirmed"]').disabled`); !off {
		t.Error("the button works before the words are typed")
	}
	browser.Eval[string](tab, `document.getElementById('typed').value = ''`)
	tab.Type("#typed", "erase ann")
	tab.Click(`[name="confirmed"]`)
	tab.Await(said("The erasure has begun: 2 photos"))
	tab.Await(`document.querySelector('.erasures').textContent.includes('something of 2 is still stored')`)
	s.remove(t)
	tab.Await(`document.querySelector('.erasures .badge.succeeded')`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
	s.audited(t, "data.erase", "admin", "page", `"confirm":"erase ann"`)
}

func TestErasureIsConfirmedGoesOnAndReports(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	ann, err := s.doors.Store.FindUserByName(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	hers := []job.Photo{s.ownedBy(t, ann), s.ownedBy(t, ann), s.ownedBy(t, ann)}
	o.fail(hers[0], job.CodeDecodeFailed, "3")
	fence := o.claim(hers[1])
	others := s.ownedBy(t, jobstore.User{ID: s.accept(t).OwnerID})

	var dry struct {
		Confirm string
		Found   struct {
			Photos, Objects, Messages int
			DeadLetters               int `json:"dead_letters"`
		}
	}
	o.does("data.erase", `{"what":"owner","owner":"ann","dry_run":true}`, &dry)
	if f := dry.Found; f.Photos != 3 || f.Objects != 3 || f.Messages != 2 || f.DeadLetters != 1 || dry.Confirm != "erase ann" {
		t.Errorf("the dry run says %+v", dry)
	}
	o.does("data.erase", `{"what":"everything","dry_run":true}`, &dry)
	if f := dry.Found; f.Photos <= 4 || f.Objects != 4 || dry.Confirm != "erase everything" {
		t.Errorf("the dry run of everything says %+v", dry)
	}
	o.isTold("invalid_request", "data.erase", `{"what":"owner","owner":"ann"}`)
	o.isTold("invalid_request", "data.erase", `{"what":"owner","owner":"ann","confirm":"erase everything"}`)
	o.isTold("not_found", "data.erase", `{"what":"owner","owner":"nobody","confirm":"erase nobody"}`)
	if o.find(hers[0].ID).Row.State != job.StateFailed {
		t.Error("a refused erasure erased")
	}
	var done struct{ ID uuid.UUID }
	o.does("data.erase", `{"what":"owner","owner":"ann","confirm":"erase ann"}`, &done)

	var list struct {
		Erasures []struct {
			ID         uuid.UUID
			FinishedAt string `json:"finished_at"`
			Report     struct {
				Marked, Left, Letters int
				Remains               []string
			}
		}
	}
	o.until("all are marked", func() bool {
		o.does("data.erasures", `{}`, &list)
		return list.Erasures[0].Report.Marked == 3 && list.Erasures[0].Report.Left == 3
	})
	if finished, err := s.doors.Store.Finish(t.Context(), hers[1].ID, fence, job.Result{}); err != nil || finished {
		t.Errorf("a worker that had an erased photo in hand finished it: %v, %v", finished, err)
	}
	if list.Erasures[0].FinishedAt != "" || list.Erasures[0].Report.Letters != 1 {
		t.Errorf("before anything is removed it says %+v", list.Erasures[0])
	}
	token := s.somebody(t, "vera", "viewer")
	tells := func(words ...string) {
		t.Helper()
		page := s.page(t, "/erase", token)
		for _, w := range words {
			if !strings.Contains(page, w) {
				t.Errorf("the page does not say %q", w)
			}
		}
	}
	tells("Counted when it began", "<dt>Photos in MySQL, with their faces</dt><dd>3</dd>")
	s.remove(t)
	o.until("it is done", func() bool {
		o.does("data.erasures", `{}`, &list)
		return list.Erasures[0].FinishedAt != "" && list.Erasures[0].Report.Left == 0 && len(list.Erasures[0].Report.Remains) > 0
	})
	tells("<dt>Photos removed from MySQL, with their faces</dt><dd>3</dd>", "<dt>Dead letters removed</dt><dd>1</dd>",
		"<dt>Objects found in S3 when it began</dt><dd>3</dd>", "<dt>Messages that waited or were in hand when it began</dt><dd>2</dd>")
	if strings.Contains(s.page(t, "/erase", token), "Photos in MySQL") {
		t.Error("what is gone is told as if it were there")
	}
	if o.find(others.ID).Row.State != job.StateQueued {
		t.Error("another's photo is gone")
	}
	if data, err := s.doors.Images.Get(t.Context(), imagestore.OriginalKey(others), 100); err != nil || !bytes.Equal(data, []byte("a photo")) {
		t.Errorf("another's object: %q, %v", data, err)
	}
	s.audited(t, "data.erase", "operator", "nats", `"owner":"ann"`)
	s.audited(t, "data.erased", "operator", "nats", "")
}

func TestOnlyAnAdministratorErasesByPage(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	token := s.somebody(t, "olga", "operator")
	if refused := s.ask(t, http.MethodPost, "/erase", token, "what=everything&typed=erase+everything&confirmed=yes"); refused.StatusCode != http.StatusForbidden {
		t.Errorf("an operator gets %d", refused.StatusCode)
	}
	admin, err := s.doors.Store.FindUserByName(t.Context(), "admin")
	if err != nil {
		t.Fatal(err)
	}
	wrong := s.ask(t, http.MethodPost, "/erase", s.session(t, admin), "what=everything&typed=erase+all&confirmed=yes")
	if list, err := s.doors.Store.ListErasures(t.Context(), 1); err != nil || len(list) > 0 || wrong.StatusCode != http.StatusSeeOther {
		t.Errorf("wrong words get %d and begin %v, %v", wrong.StatusCode, list, err)
	}
}
