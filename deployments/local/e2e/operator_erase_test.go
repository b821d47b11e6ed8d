package e2e

import (
	"encoding/binary"
	"fmt"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/webui/browser"
)

// erases says what is to be erased, reads how much that is, types the words and waits for
// the report.
func (d *day) erases(what, value string, words ...string) {
	d.t.Helper()
	d.opens("/erase")
	before := browser.Eval[int](d.Tab, `document.querySelectorAll('.erasures > li').length`)
	if value == "" {
		d.Click(`input[value="` + what + `"]`)
	} else {
		d.fills(`input[name="`+what+`"]`, value)
	}
	d.reads("#erase-command", `"what":"`+what+`"`)
	d.shoot("erase-" + what)
	d.asks("main form.panel .danger", append(words, "Photos in MySQL", "Objects in S3", "What remains")...)
	d.shoot("erase-confirm-" + what)
	d.types()
	d.done("The erasure has begun")
	d.Await(fmt.Sprintf(`document.querySelectorAll('.erasures > li').length === %d && document.querySelector('.erasures > li:first-child .badge.succeeded')`, before+1))
	d.Click(".erasures > li:first-child summary")
	d.reads(".erasures > li:first-child dl", "Photos removed from MySQL", "Objects found in S3 when it began")
	d.shoot("erased-" + what)
}

func (d *day) erasesABatch() {
	id := d.batchOf(2)
	d.erases("batch", id, "Erase this batch?", "2 photos")
}

// erasesWhatIsOld erases a photo of last week, and none of this day.
func (d *day) erasesWhatIsOld() {
	d.opens("/erase")
	yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly) // today may end while we work
	d.fills(`input[name="before"]`, yesterday)
	d.Click("main form.panel .danger")
	d.reads("h1", "Nothing to erase")
	d.Click("main .confirm .actions a") // back

	d.awaitAll(d.t, []job.ID{d.ofLastWeek()}, job.StateSucceeded)
	d.erases("before", yesterday, "Erase what is older than "+yesterday, "1 photo")
}

// ofLastWeek is a photo that was accepted then, by what its id says. Whoever publishes
// what waits finds it now.
func (d *day) ofLastWeek() job.ID {
	d.t.Helper()
	id, err := job.NewID()
	if err != nil {
		d.t.Fatal(err)
	}
	then := time.Now().UTC().Add(-7 * 24 * time.Hour).Truncate(time.Millisecond)
	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(then.UnixMilli()))
	copy(id[:6], stamp[2:])
	p := job.Photo{
		ID: id, OwnerID: d.photo(d.t, d.good[0]).OwnerID, Lane: job.LaneInteractive, Source: job.SourceLink, Link: d.camera.link("gate", "last-week"),
		CreatedAt: then, Row: job.Accepted(),
	}
	if err := d.store.Accept(d.t.Context(), p); err != nil {
		d.t.Fatal(err)
	}
	return id
}

func (d *day) erasesAnAccount() {
	name := d.info.Administrator.Username
	d.erases("owner", name, "Erase all photos of "+name)
}

func (d *day) erasesEverything() {
	d.awaitAll(d.t, d.submit(d.t, 1, twoFaces()), job.StateSucceeded)
	d.erases("everything", "", "Erase everything?", "all accounts")
	d.opens("/jobs")
	d.Await(`document.querySelector('main .empty')`)
	d.shoot("jobs-empty")
}
