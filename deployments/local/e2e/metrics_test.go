package e2e

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// metric reads one series of a part's /metrics; one that is not there counts as 0.
func (e *env) metric(t *testing.T, part, series string) float64 {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+e.Part(part).Private()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := e.web.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), series+" "); ok {
			value, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	return 0
}
