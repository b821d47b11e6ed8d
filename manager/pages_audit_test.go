package manager_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"maskfleet/manager"
	"maskfleet/pkg/account"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/webui/browser"

	"github.com/google/uuid"
)

func (s *site) record(t *testing.T, action, via string) {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	err = s.doors.Store.RecordAudit(t.Context(), jobstore.Audit{ID: id, At: time.Now().UTC(), Actor: "olga", Action: action, Detail: map[string]string{"via": via}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAuditAnnouncesWhatComes: of what somebody chose to see, and without moving it.
func TestAuditAnnouncesWhatComes(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	s.record(t, "jobs.cancel", "nats")
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/audit?action=jobs.")
	const records = `document.querySelectorAll('.audit > li').length === `
	tab.Await(records + `1`)
	tab.Await(`document.querySelector('.pulse.beating')`)
	s.record(t, "lanes.pause", "page")
	s.record(t, "jobs.retry", "page")
	tab.Await(`document.querySelector('[data-key="news"]').textContent.includes('1 new record')`)
	tab.Await(records + `1`)
	tab.Click(`[data-key="news"] a`)
	tab.Await(records + `2 && !document.querySelector('[data-key="news"]')`)
	if !strings.HasSuffix(tab.Address(), "/audit?action=jobs.") {
		t.Errorf("the choice is lost: %s", tab.Address())
	}
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}

// pageText is what an address answers a viewer.
func (s *site) pageText(t *testing.T, path, token string) string {
	t.Helper()
	response := s.ask(t, http.MethodGet, path, token, "")
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s gets %d (%v)", path, response.StatusCode, err)
	}
	return string(text)
}

func TestPhotosAreFoundByTheirContent(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	token := s.somebody(t, "vera", account.RoleViewer)
	sum := strings.Repeat("ab", 32)
	var same []job.ID
	for n := range 3 {
		id, err := job.NewID()
		if err != nil {
			t.Fatal(err)
		}
		p := job.Photo{
			ID: id, OwnerID: testenv.Owner(t, s.doors.Store), Lane: job.LaneInteractive, Source: job.SourceUpload, Filename: "a.jpg", SHA256: sum,
			CreatedAt: time.Now().UTC().Truncate(time.Microsecond), Row: job.Accepted(),
		}
		if n == 2 {
			p.SHA256 = strings.Repeat("ab", 16) + strings.Repeat("cd", 16) // the same as far as the index goes
		}
		if err := s.doors.Store.Accept(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		same = append(same, id)
	}
	response := s.ask(t, http.MethodGet, "/jobs?id="+sum, token, "")
	if to := response.Header.Get("Location"); to != "/jobs?sha256="+sum {
		t.Errorf("a file's hash leads to %q", to)
	}
	text := s.pageText(t, "/jobs?sha256="+strings.ToUpper(sum), token)
	if !strings.Contains(text, same[0].String()) || !strings.Contains(text, same[1].String()) || strings.Contains(text, same[2].String()) {
		t.Error("not the two photos of these bytes are listed")
	}
	if text := s.pageText(t, "/jobs?sha256=abc", token); !strings.Contains(text, "is no SHA-256") {
		t.Error("what is no hash is not said to be none")
	}
}

func TestConsolesAreLinkedIfTheyAreNamed(t *testing.T) {
	t.Parallel()
	s := openSite(t, func(cfg *manager.Config) {
		cfg.Consoles = manager.ConsoleConfig{S3: "https://console.example/s3", EC2: "https://console.example/ec2"}
	})
	token := s.somebody(t, "vera", account.RoleViewer)
	if text := s.pageText(t, "/health", token); !strings.Contains(text, "https://console.example/s3") || strings.Count(text, "Console") != 1 {
		t.Error("health does not link the one console that is named")
	}
	if text := s.pageText(t, "/fleet", token); !strings.Contains(text, "https://console.example/ec2") {
		t.Error("the fleet does not link EC2's console")
	}
	wrong := manager.ConsoleConfig{RDS: "javascript:alert(1)"}
	if err := wrong.Check(); err == nil {
		t.Error("an address that is none is taken")
	}
}
