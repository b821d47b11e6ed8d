package awstest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"maskfleet/deployments/local/aws/faults"
)

// Put asks for a fault, which holds until ClearFaults, the end of the test's stand-in,
// or until it is used up.
func (a *AWS) Put(tb testing.TB, fault faults.Fault) {
	tb.Helper()
	a.control(tb, http.MethodPost, "/faults", fault)
}

// ClearFaults takes all back.
func (a *AWS) ClearFaults(tb testing.TB) {
	tb.Helper()
	a.control(tb, http.MethodDelete, "/faults", nil)
}

// SpotNotice announces to a spot instance that it is terminated after a while.
func (a *AWS) SpotNotice(tb testing.TB, instance string, after time.Duration) {
	tb.Helper()
	a.control(tb, http.MethodPost, "/instances/"+instance+"/spot-notice", map[string]string{"action": "terminate", "after": after.String()})
}

// LoseTargetGroup deletes a target group as somebody else might.
func (a *AWS) LoseTargetGroup(tb testing.TB, name string) {
	tb.Helper()
	a.control(tb, http.MethodDelete, "/target-groups/"+name, nil)
}

func (a *AWS) control(tb testing.TB, method, path string, body any) {
	tb.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		tb.Fatal(err)
	}
	const limit = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, a.Control+path, bytes.NewReader(text))
	if err != nil {
		tb.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		answer, _ := io.ReadAll(response.Body) // the status is enough to fail
		tb.Fatalf("%s %s: %s: %s", method, path, response.Status, strings.TrimSpace(string(answer)))
	}
}
