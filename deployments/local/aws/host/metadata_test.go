package host

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestMetadataService(t *testing.T) {
	t.Parallel()
	h := openHost(t)
	spec := boot(t, h, "exec sleep 1000")
	url := "http://" + spec.Address.String() + ":1338/latest/"
	ask := func(method, path string, headers ...string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(text)
	}
	_, token := ask(http.MethodPut, "api/token", ttlHeader, "60")
	for name, c := range map[string]struct {
		method, path string
		headers      []string
		status       int
		text         string
	}{
		"without a token":             {http.MethodGet, "meta-data/instance-id", nil, 401, "401"},
		"with a guessed token":        {http.MethodGet, "meta-data/instance-id", []string{tokenHeader, "guessed"}, 401, "401"},
		"with the token":              {http.MethodGet, "meta-data/instance-id", []string{tokenHeader, token}, 200, "i-test"},
		"a folder":                    {http.MethodGet, "meta-data/placement/", []string{tokenHeader, token}, 200, "availability-zone"},
		"the folder of all":           {http.MethodGet, "meta-data/", []string{tokenHeader, token}, 200, "placement/"},
		"what is not there":           {http.MethodGet, "meta-data/spot/instance-action", []string{tokenHeader, token}, 404, "404"},
		"no user data":                {http.MethodGet, "user-data", []string{tokenHeader, token}, 404, "404"},
		"a token for ever":            {http.MethodPut, "api/token", []string{ttlHeader, "21601"}, 400, "400"},
		"a token without a time":      {http.MethodPut, "api/token", nil, 400, "400"},
		"a token through a proxy":     {http.MethodPut, "api/token", []string{ttlHeader, "60", "X-Forwarded-For", "10.0.0.1"}, 403, "403"},
		"the document of identity":    {http.MethodGet, "dynamic/instance-identity/document", []string{tokenHeader, token}, 200, `"instanceId": "i-test"`},
		"credentials without profile": {http.MethodGet, "meta-data/iam/security-credentials/", []string{tokenHeader, token}, 404, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := ask(c.method, c.path, c.headers...)
			if status != c.status || !strings.Contains(text, c.text) {
				t.Errorf("answers %d %q, want %d with %q", status, text, c.status, c.text)
			}
		})
	}
	t.Run("version 1 where it is allowed", func(t *testing.T) {
		open := spec.Metadata
		open.TokensRequired = false
		h.Tell(spec.ID, open)
		if status, _ := ask(http.MethodGet, "meta-data/instance-id"); status != http.StatusOK {
			t.Errorf("answers %d, want 200", status)
		}
	})
	t.Run("nothing where it is disabled", func(t *testing.T) {
		closed := spec.Metadata
		closed.Disabled = true
		h.Tell(spec.ID, closed)
		if status, _ := ask(http.MethodGet, "meta-data/instance-id", tokenHeader, token); status != http.StatusForbidden {
			t.Errorf("answers %d, want 403", status)
		}
	})
}
