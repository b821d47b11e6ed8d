package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"

	"maskfleet/pkg/job"
)

// ---- queue and overview --------------------------------------------------------------

func (d *day) pausesALane() {
	d.opens("/queue")
	d.Click(`a[href="/queue/pause?lane=interactive"]`)
	d.Type("#reason", "the camera at the gate is mended")
	d.reads("main .command code", "the camera at the gate is mended")
	d.shoot("pause")
	d.Click("main button.main")
	d.done("interactive")
	d.good = d.submit(d.t, 3, twoFaces())
	d.failing = []job.ID{d.submitLink(d.t, d.camera.link("gate", "a")), d.submitLink(d.t, d.camera.link("gate", "b"))}
}

func (d *day) seesWhatWaits() {
	d.opens("/")
	d.reads(`.figures .to`, "Waiting", "the oldest for")
	d.Await(waiting(5))
	d.reads(`[data-key="lane-interactive"]`, "interactive is paused")
	d.Await(`document.querySelector('.decisions strong').textContent.length > 0`) // why it scaled last
	d.shoot("overview")
	d.opens("/scaling")
	d.Await(`document.querySelectorAll('.why strong').length > 0`)
	d.shoot("scaling")
	d.opens("/queue")
	d.reads(`[data-key="interactive"]`, "Paused")
	d.shoot("queue")
	d.complains()
}

// waiting is true once the overview says that so many photos wait.
func waiting(n int) string {
	return fmt.Sprintf(`document.querySelector('[data-live="Waiting"]').textContent.trim().startsWith('%d')`, n)
}

func (d *day) stopsLooking() {
	d.opens("/")
	d.Await(waiting(5))
	d.Click("#pause")
	d.Await(`document.getElementById('pulse').textContent.startsWith('Paused') && document.querySelector('.live.stale')`)
	d.good = append(d.good, d.submit(d.t, 1, twoFaces())...)
	d.Click("#pause")
	d.Await(waiting(6))
}

func (d *day) cancels() {
	var lost []job.ID
	for i := range 3 {
		lost = append(lost, d.submitLink(d.t, d.camera.link("lost", fmt.Sprint(i))))
	}
	d.opens("/jobs/" + lost[0].String())
	d.confirms(`form[action="/jobs/cancel"] button`, "Cancel 1 photo?")
	d.done("1 photo is cancelled")
	d.opens("/jobs?state=queued")
	for _, id := range lost[1:] {
		d.Click(`input[value="` + id.String() + `"]`)
	}
	d.reads("[data-chosen-words]", "2 chosen")
	d.shoot("jobs-chosen")
	d.asks(`[data-chosen] button.danger`, "Cancel 2 photos?")
	d.shoot("cancel")
	d.Click(`button[name="confirmed"]`)
	d.done("2 photos are cancelled")
	d.awaitAll(d.t, lost, job.StateCancelled)
}

func (d *day) pausesTheIntake() {
	d.opens("/queue")
	d.Click(`a[href="/queue/pause"]`)
	d.Type("#reason", "the bucket moves")
	d.Click("main button.main")
	d.done("refuse photos")
	eventually(d.t, "the doors to refuse photos", func() error {
		a, err := d.post(d.t.Context(), twoFaces())
		if err == nil && a.id != (job.ID{}) {
			d.good = append(d.good, a.id)
		}
		if a.status != http.StatusServiceUnavailable {
			return fmt.Errorf("%+v, %w", a, err)
		}
		return nil
	})
	d.opens("/")
	d.reads(`[data-key="intake"]`, "The intake is paused", "the bucket moves")
	d.opens("/queue")
	d.Click(`form[action="/queue/intake/resume"] button`)
	d.See(".notice.good")
	eventually(d.t, "the doors to take photos again", func() error {
		a, err := d.post(d.t.Context(), twoFaces())
		if err != nil || a.status/100 != 2 {
			return fmt.Errorf("%+v, %w", a, err)
		}
		d.good = append(d.good, a.id)
		return nil
	})
}

func (d *day) resumesTheLane() {
	d.opens("/queue")
	d.Click(`[data-key="interactive"] form button`)
	d.done("interactive")
	d.awaitAll(d.t, d.good, job.StateSucceeded)
	d.awaitAll(d.t, d.failing, job.StateFailed)
}

// ---- jobs ----------------------------------------------------------------------------

const rows = `document.querySelectorAll('tbody tr').length`

func (d *day) findsAPhoto() {
	owner := d.info.Administrator.Username
	id := d.good[0].String()
	d.opens("/jobs")
	d.Click(`.tabs a[href*="state=succeeded"]`)
	d.Await(fmt.Sprintf(`%s === %d && location.search.includes('state=succeeded')`, rows, len(d.good)))
	d.Type("#owner", owner)
	d.fills("#lane", "interactive")
	d.Type("#name", "photo")
	d.Click(".filters button.main")
	d.Await(fmt.Sprintf(`%s === %d && location.search.includes('name=photo')`, rows, len(d.good)))
	d.shoot("jobs")
	d.Click(".filters .buttons a")
	d.Await(`!location.search.includes('owner=')`)
	d.Click(".filters summary")
	d.fills("#code", string(job.CodeFetchStatus))
	d.Click(".filters button.main")
	d.Await(`document.querySelector('main .empty')`) // none of those that succeeded
	d.shoot("jobs-none")

	d.Type("#id", fmt.Sprintf("%x", sha256.Sum256(twoFaces())))
	d.Click(".search button")
	d.Await(fmt.Sprintf(`%s === %d && location.search.includes('sha256=')`, rows, len(d.good)))
	d.Type("#id", id)
	d.Click(".search button")
	d.Await(`location.pathname === '/jobs/` + id + `'`)
	d.reads(".timeline", "Claimed by a worker")
	d.complains()
}

func (d *day) seesWhyOneFailed() {
	d.opens("/jobs?state=failed")
	d.Await(rows + ` === 2`)
	d.Click("tbody a.row")
	d.reads(".notice.bad", "fetch_status", "404")
	d.reads(".timeline", "Claimed by a worker", "Failed for good")
	d.shoot("job")
}

// retries tries what fails again as long as its cause is there.
func (d *day) retries() {
	failed := func(publication int, ids ...job.ID) {
		d.t.Helper()
		eventually(d.t, "another try to fail", func() error {
			for _, id := range ids {
				if p := d.photo(d.t, id); p.Row.State != job.StateFailed || p.Row.Publication <= publication {
					return fmt.Errorf("%s is %s, publication %d", id, p.Row.State, p.Row.Publication)
				}
			}
			return nil
		})
	}
	one := d.failing[0]
	was := d.photo(d.t, one).Row.Publication
	d.opens("/jobs/" + one.String())
	d.confirms(`form[action="/jobs/retry"] button`, "Try 1 photo again?")
	d.done("1 photo waits for another try")
	failed(was, one)

	d.refreshes("/jobs?state=failed", rows+` === 2`)
	was = d.photo(d.t, one).Row.Publication
	d.Click("[data-choose-page]")
	d.Click(`input[name="all"]`)
	d.reads("[data-chosen-words]", "All that match")
	d.confirms(`[data-chosen] button:not(.danger)`, "Try 2 photos again?")
	d.done("2 photos wait for another try")
	failed(was, one)
	failed(0, d.failing[1])
	d.awaitAll(d.t, d.failing, job.StateFailed)
}

// ---- failures ------------------------------------------------------------------------

func (d *day) exports() {
	d.refreshes("/failures", `document.querySelector('.failure h2')?.textContent.includes('2 photos')`)
	d.shoot("failures")
	for _, link := range []string{`a[href="/failures/export"]`, `.failure a[download]`} {
		name, data := d.Save(link)
		if name != "dead-letters.ndjson" || bytes.Count(data, []byte("\n")) != 2 || !bytes.Contains(data, []byte(d.failing[1].String())) {
			d.t.Errorf("%s saves %s: %s", link, name, data)
		}
	}
}

// begins begins a trial of one photo.
func (d *day) begins() {
	d.t.Helper()
	d.opens("/failures")
	d.Click(".failure a.main")
	d.reads("#worker", d.first)
	d.fills("#worker", d.first) // another may be there, and idler
	d.fills("#limit", "1")
	d.reads("main .command code", `"limit":1`)
	d.shoot("redrive")
	d.confirms("main button.main", "Try 1 photo again?", "at "+d.first+" alone", `"worker":"`+d.first+`"`)
	d.done("at " + d.first)
}

// endsATrial before its photo has ended.
func (d *day) endsATrial() {
	d.opens("/queue")
	d.Click(`a[href="/queue/pause?lane=canary"]`)
	d.Click("main button.main")
	d.done("canary")
	d.begins()
	d.refreshes("/failures", `document.querySelector('#trial').textContent.includes('1 photo of 1 still to come')`)
	d.Click("#trial form button")
	d.done("The trial at " + d.first + " is over")
	d.opens("/queue")
	d.Click(`[data-key="canary"] form button`)
	d.done("canary")
	d.awaitAll(d.t, d.failing, job.StateFailed)
	d.refreshes("/failures", `document.querySelector('.failure h2')?.textContent.includes('2 photos')`)
}

// triesAtOneWorker gives one of two failures to a worker, sees it fail again, has the
// cause mended, gives it another, and then the rest to everybody.
func (d *day) triesAtOneWorker() {
	one := func(says string) {
		d.t.Helper()
		d.begins()
		d.refreshes("/failures", fmt.Sprintf(`document.querySelector('#trial').textContent.includes(%q)`, says))
	}
	one("The one photo failed again")
	d.shoot("failures-trial-failed")
	close(d.camera.mended)
	one("The one photo succeeded")
	d.shoot("failures-trial")
	d.Click("#trial a.main")
	d.confirms("main form.panel:not(#trial) button.main", "Try 1 photo again?")
	d.done("1 photo is tried again")
	d.awaitAll(d.t, d.failing, job.StateSucceeded)
	d.refreshes("/failures", `document.querySelectorAll('.failure').length === 0 && !document.querySelector('#trial form button')`) // it ends by itself
}

func (d *day) putsAside() {
	lost := d.submitLink(d.t, d.camera.link("lost", "for-good"))
	d.awaitState(d.t, lost, job.StateFailed)
	d.refreshes("/failures", `document.querySelectorAll('.failure').length === 1`)
	d.asks(`form[action="/failures/discard"] button`, "1 failure", "stay failed")
	d.shoot("discard")
	d.Click(`button[name="confirmed"]`)
	d.done("1 failure is put aside")
	d.refreshes("/failures", `document.querySelectorAll('.failure').length === 0`)
	d.awaitState(d.t, lost, job.StateFailed)
	d.complains()
}
