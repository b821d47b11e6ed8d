package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"maskfleet/deployments/local/stack"
	"maskfleet/pkg/job"
	"maskfleet/pkg/webui/browser"
)

// TestOperatorInABrowser goes through an operator's day at a fleet that scales, and
// presses every button that the manager has. Each step is done in the next of four
// windows: a phone's and a desk's, light and dark. What cannot be undone comes last.
//
// With -args -screenshots FOLDER it keeps pictures of every page in all four.
func TestOperatorInABrowser(t *testing.T) {
	t.Parallel()
	d := beginDay(t)
	for i, step := range []struct {
		name string
		do   func()
	}{
		{"pause a lane", d.pausesALane},
		{"see what waits", d.seesWhatWaits},
		{"stop and go on looking", d.stopsLooking},
		{"cancel one photo, and some", d.cancels},
		{"pause the intake", d.pausesTheIntake},
		{"resume the lane", d.resumesTheLane},
		{"find a photo", d.findsAPhoto},
		{"see why one failed", d.seesWhyOneFailed},
		{"retry one photo, and all that match", d.retries},
		{"export what failed", d.exports},
		{"end a trial", d.endsATrial},
		{"try some at one worker, then the rest", d.triesAtOneWorker},
		{"put a failure aside", d.putsAside},
		{"read a worker's log", d.readsALog},
		{"look at an instance and its last day", d.looksAtAnInstance},
		{"set the size, for a time and a reason", d.setsTheSize},
		{"filter and sort the fleet", d.filtersTheFleet},
		{"one fewer, and one more that was leaving", d.shrinksAndRecalls},
		{"drain a worker and have it back", d.drainsAndKeeps},
		{"drain an instance", d.drains},
		{"destroy an instance", d.destroys},
		{"let the policy decide", d.letsThePolicyDecide},
		{"pause scaling, and go on", d.pausesScaling},
		{"be refused a policy", d.isRefusedAPolicy},
		{"replay a policy and put it in force", d.replays},
		{"go back to the policy before", d.goesBack},
		{"read decisions", d.readsDecisions},
		{"see who is away", d.seesWhoIsAway},
		{"see the scaler fly blind", d.seesItFlyBlind},
		{"erase a batch", d.erasesABatch},
		{"erase what is old", d.erasesWhatIsOld},
		{"erase an account's photos", d.erasesAnAccount},
		{"search the audit log", d.searchesTheAudit},
		{"erase everything", d.erasesEverything},
		{"terminate all", d.terminatesAll},
		{"stop the manager", d.stopsTheManager},
	} {
		began := time.Now()
		d.window(windows()[i%len(windows())])
		step.do()
		t.Logf("%5.1f s  %s", time.Since(began).Seconds(), step.name)
	}
	d.nobodyRefused(t)
}

// day is an operator before the manager's pages, and the stack behind them.
type day struct {
	*env
	console
	camera  *camera
	first   string   // instance
	good    []job.ID // photos that succeed once they may
	failing []job.ID // links that answer 404 until the camera is mended
}

func beginDay(t *testing.T) *day {
	t.Helper()
	camera := newCamera(t)
	// However quickly photos come on this machine, the policy leaves an instance to be
	// launched when a person asks for three.
	atMostTwo := strings.Replace(growing, `"max":4`, `"max":2`, 1)
	e := startEnv(t, fleetOptions(stack.Fleet{Min: 1, Max: 2, Policy: atMostTwo},
		setting{"inference-worker", "SLOTS", "1"}, setting{"inference-worker", "ITEM_TIMEOUT", "90s"},
		setting{"inference-worker", "DRAIN_TIMEOUT", "80s"}, setting{"inference-worker", "FETCH_TIMEOUT", "80s"},
		setting{"manager", "HTTP_STREAMS_PER_ACCOUNT", "200"},                                            // no person turns pages as quickly as this day
		setting{"inference-worker", "FETCH_ALLOW", camera.host()}, setting{"scaler", "LEAST_AGE", "30m"}, // the first stays until a person says otherwise
		setting{"scaler", "FLEET_USER_DATA", "LOG_FORMAT=json\nSHIFT=day"}))
	return &day{env: e, first: e.awaitFleet(t, 1)[0], console: e.atTheManager(t), camera: camera}
}

// camera is a site with photos behind links. Those of the gate are away until somebody
// mends it, those of the yard come when they are let go, and others never come.
type camera struct {
	server *httptest.Server
	mended chan struct{}
	letGo  chan struct{}
}

func newCamera(t *testing.T) *camera {
	t.Helper()
	c := &camera{mended: make(chan struct{}), letGo: make(chan struct{})}
	c.server = httptest.NewServer(http.HandlerFunc(c.answer))
	t.Cleanup(c.server.Close)
	return c
}

func (c *camera) host() string { return c.server.Listener.Addr().String() }

func (c *camera) link(place, name string) string {
	return c.server.URL + "/" + place + "/" + name + ".jpg"
}

func (c *camera) answer(w http.ResponseWriter, r *http.Request) {
	there := false
	switch place, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); place {
	case "gate":
		select {
		case <-c.mended:
			there = true
		default:
		}
	case "yard":
		select {
		case <-c.letGo:
			there = true
		case <-r.Context().Done():
		}
	}
	if !there {
		http.Error(w, "the camera is away", http.StatusNotFound)
		return
	}
	_, _ = w.Write(twoFaces())
}

// console is a browser before the manager's pages.
type console struct {
	*browser.Tab
	t     *testing.T
	url   string
	shown window
}

// window is how a person looks at the pages.
type window struct {
	name, scheme string
	width        int64
}

func windows() []window {
	return []window{{"-phone", "light", 390}, {"", "light", 1280}, {"-phone-dark", "dark", 390}, {"-dark", "dark", 1280}}
}

// atTheManager logs an operator in.
func (e *env) atTheManager(t *testing.T) console {
	t.Helper()
	c := console{Tab: browser.Open(t), t: t, url: e.info.URLs.Manager}
	c.Go(c.url)
	e.logIn(c.Tab)
	c.See("#live")
	return c
}

func (c *console) window(w window) {
	c.shown = w
	c.Scheme(w.scheme)
	c.Size(w.width, 900)
}

// opens goes to a page, which must not become wider than the window.
func (c *console) opens(path string) {
	c.t.Helper()
	c.Go(c.url + path)
	c.fits()
}

func (c *console) fits() {
	c.t.Helper()
	// Charts take the new width of a window that was another a moment ago.
	c.Await(fmt.Sprintf(`Math.max(document.documentElement.scrollWidth, innerWidth) <= %d`, c.shown.width))
}

// shoot keeps pictures of the page for a person who wants to see how it looks.
func (c *console) shoot(name string) {
	c.t.Helper()
	if *screenshots == "" {
		return
	}
	shown := c.shown
	for _, w := range windows() {
		c.window(w)
		c.fits()
		c.Screenshot(filepath.Join(*screenshots, "operator-"+name+w.name+".png"))
	}
	c.window(shown)
}

// scrolls goes to a part of the page that is below the window.
func (c *console) scrolls(selector string) {
	c.t.Helper()
	browser.Eval[bool](c.Tab, fmt.Sprintf(`(document.querySelector(%q).closest('section').scrollIntoView(), true)`, selector))
}

// reads waits until a part of the page says all of this.
func (c *console) reads(selector string, words ...string) {
	c.t.Helper()
	for _, word := range words {
		c.Await(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.textContent.includes(%q))`, selector, word))
	}
}

// fills puts a value into a field, as a person who first clears it.
func (c *console) fills(selector, value string) {
	c.t.Helper()
	c.Await(fmt.Sprintf(`document.readyState === 'complete' && document.querySelector(%q) !== null`, selector))
	browser.Eval[bool](c.Tab, fmt.Sprintf(`(() => {
		const field = document.querySelector(%q);
		field.value = %q;
		return field.dispatchEvent(new Event('input', {bubbles: true})) && field.dispatchEvent(new Event('change', {bubbles: true}));
	})()`, selector, value))
}

// asks presses a button and reads the page that says what it would do.
func (c *console) asks(button string, words ...string) {
	c.t.Helper()
	c.Click(button)
	c.See(`button[name="confirmed"]`)
	c.fits()
	c.reads("main", words...)
	c.reads("main .command code", "nats req maskfleet.") // the same, to type
}

// confirms presses a button, and the one on the page that says what it would do, which
// must say this.
func (c *console) confirms(button string, words ...string) {
	c.t.Helper()
	c.asks(button, words...)
	c.Click(`button[name="confirmed"]`)
}

// types does on such a page what must be done before the last button can be pressed.
func (c *console) types() {
	c.t.Helper()
	c.Await(`document.querySelector('button[name="confirmed"]').disabled`)
	c.Type("#typed", strings.TrimSpace(browser.Eval[string](c.Tab, `document.querySelector('label[for="typed"] strong').textContent`)))
	c.Await(`!document.querySelector('button[name="confirmed"]').disabled`)
	c.Click(`button[name="confirmed"]`)
}

// done waits until the page says that something was done.
func (c *console) done(words ...string) {
	c.t.Helper()
	c.reads(".notice.good", words...)
}

// refreshes goes to a page that does not change by itself until it is as it should be.
func (c *console) refreshes(path, holds string) {
	c.t.Helper()
	eventually(c.t, path+" to show "+holds, func() error {
		c.Go(c.url + path)
		if !browser.Eval[bool](c.Tab, "!!("+holds+")") {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	c.fits()
}

// complains fails the test for what the browser complained of.
func (c *console) complains() {
	c.t.Helper()
	if found := c.Problems(); len(found) > 0 {
		c.t.Errorf("the browser complains of %q", found)
	}
}

// batchOf submits a batch of so many photos.
func (d *day) batchOf(n int) string {
	d.t.Helper()
	var manifest bytes.Buffer
	out := json.NewEncoder(&manifest)
	for i := range n {
		if err := out.Encode(map[string]any{"custom_id": fmt.Sprint("gate-", i), "image": map[string]any{"url": d.camera.link("gate", fmt.Sprint("batch-", i))}}); err != nil {
			d.t.Fatal(err)
		}
	}
	id := d.submitBatch(d.t, &manifest)
	eventually(d.t, "the batch to be completed", func() error {
		if b := d.batch(d.t, id); b.State != job.BatchCompleted {
			return fmt.Errorf("%s, %+v", b.State, b.Counts)
		}
		return nil
	})
	return id.String()
}
