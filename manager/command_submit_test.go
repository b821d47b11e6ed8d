package manager_test

import (
	"strings"
	"testing"

	"maskfleet/manager"
	"maskfleet/pkg/problem"
)

// TestJobsSubmitIsCheckedAsByADoor: no operator brings in what a door would refuse.
func TestJobsSubmitIsCheckedAsByADoor(t *testing.T) {
	t.Parallel()
	s := openSite(t, func(c *manager.Config) { c.QueueLimit = 2 })
	o := s.operator(t)
	const request = `{"url":"https://example.com/a.jpg","owner":"ann"`
	o.isTold(problem.CodeInvalidRequest, "jobs.submit", request+`,"metadata":{"note":"`+strings.Repeat("x", 513)+`"}}`)
	o.does("jobs.submit", request+`}`, &struct{}{})
	// In their rows alone: what lies on the broker is counted there a moment later.
	s.accept(t)
	s.accept(t)
	o.isTold(problem.CodeQueueFull, "jobs.submit", request+`}`)
	ann, err := s.doors.Store.FindUserByName(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.doors.Store.SetUserDisabled(t.Context(), ann.ID, true); err != nil {
		t.Fatal(err)
	}
	o.isTold(problem.CodeConflict, "jobs.submit", request+`}`)
}
