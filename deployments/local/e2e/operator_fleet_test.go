package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"maskfleet/pkg/job"
	"maskfleet/pkg/webui/browser"
)

func (d *day) readsALog() {
	d.opens("/fleet/" + d.first)
	d.Click(`a[href="/workers/` + d.first + `/log"]`)
	d.Await(`document.querySelectorAll('.log li').length > 0`)
	d.fits()
	d.shoot("log")
	d.Click(`a[href="/workers/` + d.first + `/log?level=warn"]`)
	d.Await(`location.search === '?level=warn' && document.querySelector('main .tabs')`)
	d.Click(`.head .actions a.button`) // read again
	d.Await(`location.search === '?level=warn' && document.querySelector('main .tabs')`)
}

func (d *day) looksAtAnInstance() {
	d.opens("/fleet/" + d.first)
	d.reads("dl.facts", "Image", "Key pair", "address", "Launched")
	d.See(".user-data")
	for _, secret := range []string{d.info.S3.SecretKey, d.info.MySQL.Password, d.info.Redis.Password} {
		if browser.Eval[bool](d.Tab, fmt.Sprintf(`document.body.textContent.includes(%q)`, secret)) {
			d.t.Error("the page of an instance shows a secret of its user data")
		}
	}
	for _, span := range []string{"3h", "24h"} {
		d.Click(`nav a[href$="span=` + span + `"]`)
		d.Await(`location.search === '?span=` + span + `' && document.querySelectorAll('.chart').length === 2`)
		d.fits()
	}
	d.shoot("history")
	d.complains()
}

func (d *day) setsTheSize() {
	d.opens("/fleet")
	d.Click(`a[href="/fleet/size"]`)
	d.fills("#size", "3")
	d.fills("#for", "20m")
	d.Type("#why", "the open day")
	d.shoot("size")
	d.asks("main button.main", "to 3 instances", "To be launched")
	d.shoot("size-confirm")
	d.Click(`button[name="confirmed"]`)
	d.done("3 instances")
	d.reads(`[data-key="override"]`, "the open day")
	three := d.awaitFleet(d.t, 3)
	d.Await(`document.querySelectorAll('.table.fleet tbody tr').length === 3`)
	d.reads(`[data-key="`+three[2]+`"]`, "Ready")
	d.shoot("fleet")
}

func (d *day) filtersTheFleet() {
	d.opens("/fleet")
	d.Click(`.tabs a[href*="role=ready"]`)
	d.Await(`location.search.includes('role=ready') && document.querySelectorAll('.table.fleet tbody tr').length === 3`)
	sort := `th a.sort[href*="sort=-cpu"], th a.sort[href*="sort=cpu"]`
	if d.shown.width < 600 {
		sort = strings.ReplaceAll(sort, "th a.sort", ".sorts a")
	}
	d.Click(sort)
	d.Await(`location.search.includes('cpu') && location.search.includes('role=ready') && document.querySelectorAll('.table.fleet tbody tr').length === 3`)
	d.See(`a[href="` + d.info.URLs.Web + `"]`) // where photos come in
}

// shrinksAndRecalls takes an instance away while all have a photo in hand, so that it
// is still leaving when another is wanted.
func (d *day) shrinksAndRecalls() {
	var held []job.ID
	for i := range 3 {
		held = append(held, d.submitLink(d.t, d.camera.link("yard", fmt.Sprint(i))))
	}
	d.awaitAll(d.t, held, job.StateProcessing)
	d.opens("/fleet/" + d.first)
	d.reads(`[data-key="`+d.first+`"]`, "Photo in hand", "Lease left")
	d.Await(`document.querySelectorAll('[data-key="` + d.first + `"] tbody tr').length === 1`)
	d.shoot("instance-busy")

	d.opens("/fleet")
	d.confirms(`form[action="/fleet/shrink"] button`, "from 3 to 2 instances", "Finish what they have in hand, and leave")
	d.done("2 instances")
	d.Await(`document.querySelector('.table.fleet').textContent.includes('Draining')`)
	d.shoot("fleet-leaving")
	d.scrolls(".table.fleet")
	d.shoot("fleet-rows")
	d.confirms(`form[action="/fleet/grow"] button`, "from 2 to 3 instances", "Were leaving, and stay")
	d.done("3 instances")
	close(d.camera.letGo)
	d.awaitAll(d.t, held, job.StateSucceeded)
	d.awaitFleet(d.t, 3)
}

// another is an instance in service that is not the first.
func (d *day) another() (id string) {
	eventually(d.t, "another instance to be in service", func() error {
		served, _, err := d.InService(d.t.Context())
		i := slices.IndexFunc(served, func(id string) bool { return id != d.first })
		if err != nil || i < 0 {
			return fmt.Errorf("in service are %v, %w", served, err)
		}
		id = served[i]
		return nil
	})
	return id
}

// drainsAndKeeps empties an instance as its worker's command does, and resumes it.
func (d *day) drainsAndKeeps() {
	kept := d.another()
	d.opens("/fleet/" + kept)
	d.asks(`form[action="/workers/drain"] button`, "and keep it?", "Photos in its hands")
	d.Type("#why", "a look at its disk")
	d.shoot("drain-keep")
	d.Click(`button[name="confirmed"]`)
	d.done(kept, "waits to be resumed")
	d.reads(`[data-key="steer"]`, "Draining", "a look at its disk")
	eventually(d.t, kept+" to leave the balancer", func() error {
		served, _, err := d.InService(d.t.Context())
		if err != nil || slices.Contains(served, kept) {
			return fmt.Errorf("in service are %v, %w", served, err)
		}
		return nil
	})
	d.shoot("instance-drained")
	d.confirms(`form[action="/workers/resume"] button`, "takes photos again", "a look at its disk")
	d.done(kept + " takes photos again")
	// If another has come in its place meanwhile, one of four is too many: maybe this one.
	eventually(d.t, kept+" to be in service again, or to leave", func() error {
		served, _, err := d.InService(d.t.Context())
		_, there := d.instances(d.t)[kept]
		if err != nil || there && !slices.Contains(served, kept) {
			return fmt.Errorf("in service are %v, %w", served, err)
		}
		return nil
	})
	d.awaitFleet(d.t, 3)
	d.complains()
}

func (d *day) drains() {
	drained := d.another()
	d.opens("/fleet/" + drained)
	d.shoot("instance")
	d.confirms(`form[action="/fleet/drain"] button`, "finishes what it has in hand", "Launched in its place")
	d.done(drained, "leaves")
	eventually(d.t, drained+" to leave the balancer", func() error {
		served, _, err := d.InService(d.t.Context())
		if err != nil || slices.Contains(served, drained) {
			return fmt.Errorf("in service are %v, %w", served, err)
		}
		return nil
	})
}

func (d *day) destroys() {
	destroyed := d.another()
	d.opens("/fleet/" + destroyed)
	d.asks(`form[action="/fleet/destroy"] button`, "It ends at once", "Launched in its place")
	d.shoot("destroy")
	d.Click(`button[name="confirmed"]`)
	d.done(destroyed + " is being ended")
	eventually(d.t, destroyed+" to be gone", func() error {
		if _, there := d.instances(d.t)[destroyed]; there {
			return errors.New("it is there still")
		}
		return nil
	})
	d.complains()
}

// ---- the end -------------------------------------------------------------------------

func (d *day) terminatesAll() {
	d.opens("/fleet")
	d.asks(`form[action="/fleet/terminate-all"] button`, "the front door closes", "Finish what they have in hand, and leave")
	d.shoot("terminate-all")
	d.types()
	d.done("0 instances", "until somebody releases it")
	d.reads(`[data-key="override"]`, "until somebody releases it")
	eventually(d.t, "all instances to end", func() error {
		if left := d.instances(d.t); len(left) > 0 {
			return fmt.Errorf("%d are left", len(left))
		}
		return nil
	})
	d.reads("#live", "There is no instance")
	d.shoot("fleet-empty")
}

func (d *day) stopsTheManager() {
	d.opens("/fleet")
	d.asks(`form[action="/fleet/stop-manager"] button`, "and stop the manager?")
	pid := d.Part("manager").PID()
	d.types()
	d.reads("h1", "The manager has stopped")
	d.fits()
	d.complains()
	eventually(d.t, "the manager to end", func() error {
		if alive(pid) {
			return fmt.Errorf("%d lives", pid)
		}
		return nil
	})
}
