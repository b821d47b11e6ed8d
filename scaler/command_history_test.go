package scaler_test

import (
	"net/http"
	"testing"
)

func TestHistoryByCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, manual(1))
	w.scale(t)
	o := w.operator(t)
	var answer struct {
		Instance, Period string
		Points           []struct{}
	}
	o.does("history", `{"instance":"i-unknown"}`, &answer)
	if answer.Instance != "i-unknown" || answer.Period != "1m" || answer.Points == nil {
		t.Errorf("got %+v", answer)
	}
	o.does("history", `{"instance":"i-unknown","for":"24h"}`, &answer)
	if answer.Period != "5m" {
		t.Errorf("a day comes by %s", answer.Period)
	}
	o.isTold(http.StatusBadRequest, "history", `{}`, "instance")
	o.isTold(http.StatusBadRequest, "history", `{"instance":"i-1","for":"25h"}`, "for")
}
