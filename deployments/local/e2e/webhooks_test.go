package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"maskfleet/pkg/job"
	"maskfleet/pkg/webhook"
)

// endpoint is a webhook as the API gives it when it is made.
type endpoint struct {
	Secret string `json:"secret"`
	Links  struct {
		Deliveries string `json:"deliveries"`
	} `json:"links"`
}

// subscribe makes a webhook of the administrator's.
func (e *env) subscribe(t *testing.T, to string, events ...webhook.Type) (made endpoint) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"url": to, "events": events})
	if err != nil {
		t.Fatal(err)
	}
	resp := e.do(t, http.MethodPost, "/v1/webhooks", "application/json", bytes.NewReader(body))
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	return made
}

// TestSignedWebhook: an upload, and what the site outside has to say of the message
// that its end caused.
func TestSignedWebhook(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	made := e.subscribe(t, e.info.URLs.Outside+"/hooks", webhook.DetectionCompleted, webhook.AlertUnmasked)
	given, err := e.web.PostForm(e.info.URLs.Webhooks+"/secret", url.Values{"secret": {made.Secret}})
	if err != nil {
		t.Fatal(err)
	}
	given.Body.Close()
	id := e.submit(t, 1, twoFaces())[0]

	var caught []struct {
		Verified bool   `json:"verified"`
		Verdict  string `json:"verdict"`
		Body     struct {
			Type webhook.Type `json:"type"`
			Data struct {
				ID          job.ID            `json:"id"`
				NumUnmasked *int              `json:"num_unmasked"`
				Links       map[string]string `json:"links"`
			} `json:"data"`
		} `json:"body"`
	}
	eventually(t, "both messages to come", func() error {
		resp, err := e.web.Get(e.info.URLs.Webhooks + ".json")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(&caught); err != nil {
			return err
		}
		if len(caught) < 2 {
			return fmt.Errorf("%d came", len(caught))
		}
		return nil
	})
	var types []webhook.Type
	for _, c := range caught {
		types = append(types, c.Body.Type)
		if !c.Verified || c.Body.Data.ID != id {
			t.Errorf("got %+v", c)
		}
		if c.Body.Type == webhook.AlertUnmasked && (c.Body.Data.NumUnmasked == nil || *c.Body.Data.NumUnmasked != 1) {
			t.Errorf("the alert says %+v", c.Body.Data)
		}
		path, ours := strings.CutPrefix(c.Body.Data.Links["self"], e.info.URLs.Web)
		var got struct {
			Status string `json:"status"`
		}
		if e.getJSON(t, path, &got); !ours || got.Status != "succeeded" {
			t.Errorf("%s leads to %+v", c.Body.Data.Links["self"], got)
		}
	}
	slices.Sort(types)
	if !slices.Equal(types, []webhook.Type{webhook.AlertUnmasked, webhook.DetectionCompleted}) {
		t.Errorf("got %v", types)
	}
	e.settled(t)
}

// hookSite notes what is posted to it. While it is mute it does not answer.
type hookSite struct {
	*httptest.Server
	mu   sync.Mutex // guards the rest
	got  map[string][][]byte
	mute bool
}

func newHookSite(t *testing.T) *hookSite {
	t.Helper()
	s := &hookSite{got: map[string][][]byte{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		id := r.Header.Get(webhook.HeaderID)
		s.mu.Lock()
		s.got[id] = append(s.got[id], body)
		mute := s.mute
		s.mu.Unlock()
		if mute {
			<-r.Context().Done() // until the door is gone
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	return s
}

// about gives the id of the message about a photo and how often it came; "" if never.
func (s *hookSite) about(photo job.ID) (id string, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, bodies := range s.got {
		if bytes.Contains(bodies[0], []byte(photo.String())) {
			return id, len(bodies)
		}
	}
	return "", 0
}

func (s *hookSite) setMute(mute bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = mute
}

// TestWebhookOutlivesTheDoor: the only one is killed, once before it has posted a
// message and once before it knows what came of it.
func TestWebhookOutlivesTheDoor(t *testing.T) {
	t.Parallel()
	site := newHookSite(t)
	e := newEnv(t, setting{"ingest", "WEBHOOK_ALLOW", site.Listener.Addr().String()})
	made := e.subscribe(t, site.URL, webhook.DetectionCompleted)

	// The photo ends while there is no door.
	unsent := e.submit(t, 1, faultyPhoto(t, "slow=1500ms"))[0]
	e.awaitState(t, unsent, job.StateProcessing)
	e.kill(t, "ingest", syscall.SIGKILL)
	e.awaitState(t, unsent, job.StateSucceeded)
	if id, _ := site.about(unsent); id != "" {
		t.Fatalf("%s came from nowhere: the test proves nothing", id)
	}
	e.start(t, "ingest")
	eventually(t, "the message to come", func() error {
		if id, _ := site.about(unsent); id == "" {
			return fmt.Errorf("it has not come")
		}
		return nil
	})

	// The message has come, but nobody lives to know it.
	site.setMute(true)
	unknown := e.submit(t, 1, drawnPhoto(t))[0]
	var first string
	eventually(t, "the second message to come", func() error {
		if first, _ = site.about(unknown); first == "" {
			return fmt.Errorf("it has not come")
		}
		return nil
	})
	e.kill(t, "ingest", syscall.SIGKILL)
	_, before := site.about(unknown)
	site.setMute(false)
	e.start(t, "ingest")
	eventually(t, "the same message to come again", func() error {
		if id, times := site.about(unknown); id != first || times <= before {
			return fmt.Errorf("%s came %d times", id, times)
		}
		return nil
	})
	eventually(t, "both to be known as delivered", func() error {
		var log struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		e.getJSON(t, made.Links.Deliveries+"?status=delivered", &log)
		if len(log.Data) != 2 {
			return fmt.Errorf("%d are", len(log.Data))
		}
		return nil
	})
	e.settled(t)
}
