package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/problem"
)

var errSecret = errors.New("dial tcp 10.0.0.7:3306: connection refused")

func TestFromFindsAWrappedProblem(t *testing.T) {
	t.Parallel()
	want := problem.New(404, problem.CodeNotFound, "There is no such photo.")
	if got := problem.From(fmt.Errorf("finding: %w", want)); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := problem.From(nil); got != nil {
		t.Errorf("got %v for nil", got)
	}
}

func TestCauseStaysInside(t *testing.T) {
	t.Parallel()
	p := problem.From(fmt.Errorf("reading: %w", errSecret))
	if p.Status != 500 || !errors.Is(p, errSecret) {
		t.Errorf("got %v, want 500 with its cause", p)
	}
	shown, err := json.Marshal(p.Document("/v1/detections", "r-1"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(shown), "10.0.0.7") {
		t.Errorf("the cause is shown: %s", shown)
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	base := problem.New(400, problem.CodeMissingField, "The request has no photo.")
	got, err := json.Marshal(base.WithField("file", "is missing").Document("/v1/detections", "r-1"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"/docs/errors#missing_field","title":"Bad Request","status":400,"detail":"The request has no photo.",` +
		`"instance":"/v1/detections","code":"missing_field","request_id":"r-1","errors":[{"field":"file","message":"is missing"}]}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if base.Errors != nil {
		t.Error("WithField changed the problem it was called on")
	}
}

func TestRetryAfterHeaderRoundsUp(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "", time.Millisecond: "1", time.Second: "1", 1100 * time.Millisecond: "2"} {
		if got := problem.New(503, problem.CodeUnavailable, "").WithRetryAfter(d).RetryAfterHeader(); got != want {
			t.Errorf("Retry-After of %v is %q, want %q", d, got, want)
		}
	}
}
