package manager_test

import (
	"testing"

	"maskfleet/pkg/webui/browser"
)

func TestHealthSaysWhatAnswersAndWhatDoesNot(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	s.operator(t)
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/health")
	tab.Await(`document.querySelector('[data-key="store-MySQL"]').textContent.includes('MariaDB')`)
	tab.Await(`document.querySelector('[data-key="store-Redis"]').textContent.includes('Version')`)
	tab.Await(`document.querySelector('[data-key="maskfleet-manager"] .badge').textContent === 'Answers'`)
	tab.Await(`document.querySelector('[data-key="maskfleet-worker"] .badge').textContent === 'Nobody answers'`)
	tab.Await(`document.querySelector('[data-key="JOBS"]')`)

	s.redis.Freeze() // a server that keeps silent is away, too
	tab.Await(`document.querySelector('[data-key="store-Redis"] .badge.failed')`)
	if other := browser.Eval[bool](tab, `Boolean(document.querySelector('[data-key="store-MySQL"] .badge.idle'))`); !other {
		t.Error("another store turned grey with it")
	}
	tab.Go(s.url + "/health") // the page says so, and does not fail
	tab.Await(`document.querySelector('[data-key="Redis"]')`)
	s.redis.Thaw()
	tab.Await(`document.querySelector('[data-key="store-Redis"] .badge.idle')`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}
