package manager_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"maskfleet/manager"
	"maskfleet/pkg/account"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// somebody makes an account with a role and gives a session of theirs.
func (s *site) somebody(t testing.TB, name, role string) string {
	t.Helper()
	return s.session(t, testenv.User(t, s.doors.Store, name, role, password))
}

func (s *site) session(t testing.TB, user jobstore.User) string {
	t.Helper()
	token, err := account.New(s.doors.Store, s.doors.Cache, account.Config{}).StartSession(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// ask sends a request with a session's cookie, as a browser's own page does.
func (s *site) ask(t testing.TB, method, path, token, body string, header ...string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	if body != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		request.Header.Set("Cookie", "maskfleet_session="+token)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// TestEveryAddressAsksForItsRole goes through all that the manager answers, so that no
// address is added without being held to this.
func TestEveryAddressAsksForItsRole(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	tokens := map[string]string{"": ""}
	for i, role := range []string{account.RoleUser, account.RoleViewer, account.RoleOperator, account.RoleAdministrator} {
		tokens[role] = s.somebody(t, "person-"+string(rune('a'+i)), role)
	}
	for _, address := range manager.Addresses() {
		path := strings.NewReplacer(":page", "overview", ":id", "0199d3a2-6c1e-7b04-9d57-3f2a8c51e6b0", ":variant", "original", ":worker", "w-1", ":instance", "i-1").Replace(address.Path)
		for role, token := range tokens {
			response := s.ask(t, address.Method, path, token, "")
			admitted := role != "" && manager.May(role, address.Least)
			switch status := response.StatusCode; {
			case role == "" && (status != http.StatusSeeOther || !strings.HasPrefix(response.Header.Get("Location"), "/login")):
				t.Errorf("%s %s without a session gets %d", address.Method, path, status)
			case role != "" && !admitted && status != http.StatusForbidden:
				t.Errorf("%s %s as %s gets %d, want it refused", address.Method, path, role, status)
			case admitted && (status == http.StatusForbidden || status >= http.StatusInternalServerError):
				t.Errorf("%s %s as %s gets %d", address.Method, path, role, status)
			}
			if address.Method == http.MethodPost && admitted {
				from := s.ask(t, address.Method, path, token, "", "Origin", "https://evil.example")
				if from.StatusCode != http.StatusForbidden {
					t.Errorf("%s from another site gets %d, want it refused", path, from.StatusCode)
				}
			}
		}
	}
}
