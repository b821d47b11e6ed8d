package manager_test

import (
	"strings"
	"testing"

	"maskfleet/pkg/webui/browser"
)

func TestScalingIsSeenAndSteered(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	scaler := s.scale(t)
	s.decide(t, 3, 3, "3, because the CPU is at 54 %")
	s.decide(t, 2, 3, "3, because the CPU is at 84 %")
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/scaling")
	tab.Await(`document.querySelector('.lead').textContent === 'Keep 3 instances'`)
	tab.Await(`document.querySelector('[data-key="cpu"] .badge').textContent === 'Decides'`)
	tab.Await(`document.querySelector('main').textContent.includes('CloudWatch does not answer')`)
	tab.Await(`document.querySelector('[data-becomes="grow"]').textContent === '3 workers become 6'`)
	tab.Await(`document.querySelector('[data-becomes="shrink"]').textContent === '3 workers become 1'`)

	scaler.tooMany(2)
	tab.Await(`document.querySelector('[data-key="young"]')?.textContent.includes('2 instances more stay until they are old enough, the last at')`)
	scaler.tooMany(1)
	tab.Await(`document.querySelector('[data-key="young"]').textContent.includes('1 instance more stays until it is old enough, at')`)
	scaler.tooMany(0)
	tab.Await(`!document.querySelector('[data-key="young"]')`)

	// What is typed shows at once what it makes of the fleet.
	rewrite(tab, "#p-expand", "3")
	tab.Await(`document.querySelector('[data-becomes="grow"]').textContent === '3 workers become 8'`)
	tab.Click(`button[formaction="/scaling/replay"]`)
	tab.Await(`document.querySelector('.compare')?.textContent.includes('31.2')`)
	tab.Await(`document.querySelector('.compare').textContent.includes('0.41')`)
	confirm(tab, "main button.main", "by, ×", "2 → 3", "version 5")
	tab.Await(`document.querySelector('.notice.good').textContent.includes('Version 5 of the policy is in force')`)
	put, _ := scaler.lastAsked("policy").(string)
	if !scaler.did("policy.put by admin via page") || !strings.Contains(put, `"expand":3`) || strings.Contains(put, "overrides") {
		t.Errorf("was put: %s", put)
	}
	tab.Await(`document.readyState === 'complete'`)
	if expand := browser.Eval[string](tab, `document.querySelector('[name="revision"]').value + ' ' + document.querySelector('#p-expand').value`); expand != "42 3" {
		t.Errorf("after it was put the form has %q, want what was put", expand)
	}

	// A refusal brings back what was typed.
	rewrite(tab, "#p-min", "9")
	tab.Click("form.policy button.main")
	tab.Await(`document.querySelector('.notice.bad')?.textContent.includes('min is above max')`)
	tab.Await(`document.querySelector('#p-min').value === '9' && document.querySelector('#policy .badge.stale')`)

	tab.Go(s.url + "/scaling")
	confirm(tab, `form[action="/scaling/restore"]:has([value="37"]) button`, "CPU ratio → target wait")
	tab.Await(`document.querySelector('.notice.good')`)
	if !scaler.did("policy.restore by admin via page") || scaler.lastAsked("revision") != "37" {
		t.Errorf("gone back to %v", scaler.lastAsked("revision"))
	}
	tab.Click(`a[href="/scaling/pause"]`)
	tab.See("#why")
	tab.Type("#why", "a look at the balancer")
	confirm(tab, "main button.main", "keeps the size that it has")
	tab.Await(`location.pathname === '/scaling' && document.querySelector('.notice.good').textContent.includes('Scaling is paused at 3')`)

	scaler.pinned(4)
	tab.Await(`document.querySelector('[data-key="without"]').textContent.includes('3 instances')`)
	confirm(tab, `form[action="/scaling/resume"] button`, "Pinned to 4 instances, by admin", "Leave later, when they are old enough")
	tab.Await(`document.querySelector('.notice.good').textContent.includes('now it wants 3 instances')`)

	tab.Click(`a[href="/scaling/decisions"]`)
	tab.Await(`document.querySelectorAll('tbody tr').length === 2`)
	tab.Click(`a[href="/scaling/decisions?changes=yes"]`)
	tab.Await(`document.querySelectorAll('tbody tr').length === 1 && document.querySelector('tbody').textContent.includes('Grow from 2 to 3')`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}
