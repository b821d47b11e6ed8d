package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"maskfleet/deployments/local/stack"
	"maskfleet/pkg/job"
	"maskfleet/pkg/webui/browser"
)

// console is an operator before the manager's pages.
type console struct {
	*browser.Tab
	t   *testing.T
	url string
}

// atTheManager logs an operator in.
func (e *env) atTheManager(t *testing.T) console {
	t.Helper()
	c := console{browser.Open(t), t, e.info.URLs.Manager}
	c.Go(c.url)
	e.logIn(c.Tab)
	c.See("#live")
	return c
}

// shoot keeps pictures of the page for a person who wants to see how it looks, on a
// phone and on a desk, light and dark.
func (c console) shoot(name string) {
	if *screenshots == "" {
		return
	}
	for _, look := range []struct {
		name, scheme string
		width        int64
	}{{"-phone", "light", 390}, {"-phone-dark", "dark", 390}, {"-dark", "dark", 1440}, {"", "light", 1440}} {
		c.Scheme(look.scheme)
		c.Size(look.width, 900)
		c.Screenshot(filepath.Join(*screenshots, "operator-"+name+look.name+".png"))
	}
}

// reads waits until a part of the page says all of this.
func (c console) reads(selector string, words ...string) {
	c.t.Helper()
	for _, word := range words {
		c.Await(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.textContent.includes(%q))`, selector, word))
	}
}

// confirms presses a button, and the one on the page that says what it would do, which
// must say this.
func (c console) confirms(button string, words ...string) {
	c.t.Helper()
	c.Click(button)
	c.See(`button[name="confirmed"]`)
	c.reads("main", words...)
	c.Click(`button[name="confirmed"]`)
}

// refreshes goes to a page that does not change by itself until it is as it should be.
func (c console) refreshes(path, holds string) {
	c.t.Helper()
	eventually(c.t, path+" to show "+holds, func() error {
		c.Go(c.url + path)
		if !browser.Eval[bool](c.Tab, "!!("+holds+")") {
			return fmt.Errorf("not yet")
		}
		return nil
	})
}

// TestOperatorInABrowser goes through an operator's day at a fleet that scales: what
// waits, why there are so many instances, why a photo failed; and steers: a lane, a
// group of failures, the size, an instance, the erasure of one account's photos.
func TestOperatorInABrowser(t *testing.T) {
	t.Parallel()
	var mended atomic.Bool
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !mended.Load() {
			http.Error(w, "the camera is away", http.StatusNotFound)
			return
		}
		_, _ = w.Write(twoFaces())
	}))
	t.Cleanup(site.Close)
	e := startEnv(t, fleetOptions(stack.Fleet{Min: 1, Max: 4, Type: "local.quarter", Policy: growing},
		setting{"inference-worker", "SLOTS", "1"}, setting{"inference-worker", "ITEM_TIMEOUT", "20s"},
		setting{"inference-worker", "FETCH_ALLOW", site.Listener.Addr().String()}))
	first := e.awaitFleet(t, 1)[0]
	c := e.atTheManager(t)

	c.Go(c.url + "/queue")
	c.Click(`a[href="/queue/pause?lane=interactive"]`)
	c.Type("#reason", "the camera at the gate is mended")
	c.Click("main button.main")
	c.reads(".notice.good", "interactive")
	waiting := e.submit(t, 3, twoFaces())
	failing := []job.ID{e.submitLink(t, site.URL+"/gate.jpg"), e.submitLink(t, site.URL+"/yard.jpg")}
	c.Go(c.url + "/")
	c.reads(`.figures .to`, "Waiting", "the oldest for")
	c.Await(`document.querySelector('[data-live="Waiting"]').textContent.trim().startsWith('5')`)
	c.reads(`[data-key="lane-interactive"]`, "interactive is paused")
	c.Await(`document.querySelector('.decisions strong').textContent.length > 0`) // why it scaled last
	c.shoot("overview")
	c.Go(c.url + "/scaling")
	c.Await(`document.querySelectorAll('.why strong').length > 0`)
	c.shoot("scaling")
	c.Go(c.url + "/queue")
	c.reads(`[data-key="interactive"]`, "Paused")
	c.shoot("queue")
	c.Click(`[data-key="interactive"] form button`)
	c.reads(".notice.good", "interactive")
	e.awaitAll(t, waiting, job.StateSucceeded)
	e.awaitAll(t, failing, job.StateFailed)

	c.Go(c.url + "/jobs?state=failed") // why a photo failed
	c.Await(`document.querySelectorAll('tbody tr').length === 2`)
	c.shoot("jobs")
	c.Click("tbody a.row")
	c.reads(".notice.bad", "fetch_status", "404")
	c.reads(".timeline", "Claimed by a worker", "Failed for good")
	c.shoot("job")

	c.tries(first, mended.Store)
	e.awaitAll(t, failing, job.StateSucceeded)

	c.Go(c.url + "/fleet")
	c.Click(`a[href="/fleet/size"]`)
	c.See("#size")
	browser.Eval[string](c.Tab, `document.getElementById('size').value = '3'`)
	browser.Eval[string](c.Tab, `document.getElementById('for').value = '20m'`)
	c.Type("#why", "the open day")
	c.shoot("size")
	c.confirms("main button.main", "to 3 instances", "Are launched")
	c.reads(`[data-key="override"]`, "the open day")
	three := e.awaitFleet(t, 3)
	c.Await(`document.querySelectorAll('.table.fleet tbody tr').length === 3`)
	c.reads(`[data-key="`+three[2]+`"]`, "Ready")
	c.shoot("fleet")

	drained := three[slices.IndexFunc(three, func(id string) bool { return id != first })]
	c.Go(c.url + "/fleet/" + drained)
	c.shoot("instance")
	c.confirms(`form[action="/fleet/drain"] button`, "finishes what it has in hand")
	c.reads(".notice.good", drained, "leaves")
	eventually(t, drained+" to leave the balancer", func() error {
		served, _, err := e.InService(t.Context())
		if err != nil || slices.Contains(served, drained) {
			return fmt.Errorf("in service are %v, %w", served, err)
		}
		return nil
	})

	c.erases(e.info.Administrator.Username)
	c.refreshes("/audit", `['lanes.pause', 'lanes.resume', 'jobs.dead.redrive', 'scaler.resize', 'scaler.drain', 'data.erase'].every((a) => document.querySelector('.audit').textContent.includes(a))`)
	c.shoot("audit")
	if found := c.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
	e.nobodyRefused(t)
}

// tries gives one of two failures to a worker, sees it fail again, has the cause mended,
// gives it another, and then the rest to everybody.
func (c console) tries(worker string, mended func(bool)) {
	c.t.Helper()
	one := func(says string) {
		c.t.Helper()
		c.Go(c.url + "/failures")
		c.Click(".failure a.main")
		c.reads("#worker", worker)
		browser.Eval[string](c.Tab, `document.getElementById('limit').value = '1'`)
		c.shoot("redrive")
		c.confirms("main button.main", "Try 1 photo again?", "at "+worker+" alone", `"worker":"`+worker+`"`)
		c.reads(".notice.good", "at "+worker)
		c.refreshes("/failures", `document.querySelector('#trial').textContent.includes(`+fmt.Sprintf("%q", says)+`)`)
	}
	one("The one photo failed again")
	c.shoot("failures")
	mended(true)
	one("The one photo succeeded")
	c.shoot("failures-trial")
	c.Click("#trial a.main")
	c.confirms("main form.panel:not(#trial) button.main", "Try 1 photo again?")
	c.reads(".notice.good", "1 photo is tried again")
	c.Click("#trial form button")
	c.reads(".notice.good", "The trial at "+worker+" is over")
	c.refreshes("/failures", `document.querySelectorAll('.failure').length === 0`)
}

// erases removes an account's photos.
func (c console) erases(name string) {
	c.t.Helper()
	c.Go(c.url + "/erase")
	c.Type(`input[name="owner"]`, name)
	c.Click("main .danger")
	c.See("#typed")
	c.reads("main", "Photos in MySQL")
	c.shoot("erase-confirm")
	c.Type("#typed", strings.TrimSpace(browser.Eval[string](c.Tab, `document.querySelector('label[for="typed"] strong').textContent`)))
	c.Await(`!document.querySelector('button[name="confirmed"]').disabled`)
	c.Click(`button[name="confirmed"]`)
	c.Await(`document.querySelector('.erasures .badge.succeeded')`)
	c.shoot("erase")
}
