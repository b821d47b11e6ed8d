package manager

import (
	"strings"
	"testing"

	"maskfleet/pkg/jobstore"
)

func TestAuditSays(t *testing.T) {
	t.Parallel()
	record := func(actor, via, action, request, answer string) jobstore.Audit {
		return jobstore.Audit{Actor: actor, Action: action, Detail: map[string]string{"via": via, "request": request, "answer": answer}}
	}
	for want, a := range map[string]jobstore.Audit{
		"3 \u2192 5 instances, the open day":     record("admin", "page", "scaler.resize", `{"size":5,"why":"the open day"}`, `{"was":3,"size":5,"launch":2}`),
		"5 photos, decode_failed, at w-1":        record("admin", "page", "jobs.dead.redrive", `{"reason":"decode_failed","worker":"w-1"}`, `{"redriven":5,"left":4}`),
		"until 2026-11-28 06:54:08 UTC, mending": record("olga", "nats", "lanes.pause", `{"lane":"batch","reason":"mending"}`, `{"lane":"batch","paused_until":"2026-11-28T06:54:08.07Z"}`),
		"500 photos":                             record("olga", "page", "jobs.retry", `{}`, `{"retried":500,"refused":[{"id":"0199d3a2`+strings.Repeat("x", 3)),
		"356 photos":                             record("admin", "page", "data.erase", `{}`, `{"id":"a","found":{"photos":356}}`),
		"before its instance goes":               record("scaler", "nats", "worker.drain", `{}`, `{"in_hand":1}`),
		"1 photo in hand":                        record("operator", "nats", "worker.drain", `{}`, `{"in_hand":1}`),
		"":                                       record("operator", "nats", "jobs.dead.discard", `cut`, `{`),
	} {
		if got := auditSays(a); got != want {
			t.Errorf("%s says %q, want %q", a.Action, got, want)
		}
	}
	done := jobstore.Audit{Action: "data.erased", Detail: map[string]string{"via": "page", "report": `{"found":{"photos":332},"marked":356}`}}
	if got := auditSays(done); got != "356 photos" {
		t.Errorf("an erasure's end says %q", got)
	}
}
