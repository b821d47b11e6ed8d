package e2e

import "syscall"

func (d *day) letsThePolicyDecide() {
	d.opens("/scaling")
	d.confirms(`form[action="/scaling/resume"] button`, "Let the policy decide again?", "Ends with it")
	d.done("The policy decides again")
	d.Await(`!document.querySelector('[data-key="override"]')`)
}

func (d *day) pausesScaling() {
	d.opens("/scaling")
	d.Click(`a[href="/scaling/pause"]`)
	d.fills("#for", "20m")
	d.Type("#why", "a look at the balancer")
	d.confirms("main button.main", "Pause scaling at", "keeps the size")
	d.done("Scaling is paused at")
	d.reads(`[data-key="override"]`, "a look at the balancer")
	d.reads(`[data-key="without"]`, "Without that, the policy would have")
	d.shoot("scaling-paused")
	d.opens("/fleet")
	d.confirms(`form[action="/scaling/resume"] button`, "Let the policy decide again?")
	d.done("The policy decides again")
	d.Await(`!document.querySelector('[data-key="override"]')`)
}

// isRefusedAPolicy asks for what no fleet can follow, and finds it in the form again.
func (d *day) isRefusedAPolicy() {
	d.opens("/scaling")
	d.fills("#p-min", "5")
	d.Click("form.policy button.main")
	d.reads(".notice.bad", "min")
	d.Await(`document.getElementById('p-min').value === '5'`)
	d.fits()
	d.shoot("scaling-refused")
	d.Click(`form.policy .actions a`)
	d.Await(`document.getElementById('p-min')?.value === '1'`)
}

func (d *day) replays() {
	d.opens("/scaling")
	d.fills("#p-target", "40")
	d.Click(`button[formaction="/scaling/replay"]`)
	d.reads("h1", "The last day, replayed")
	d.reads(".compare", "Candidate", "Late photos")
	d.Await(`document.querySelectorAll('.chart canvas').length === 2`)
	d.fits()
	d.shoot("replay")
	d.Click(`form[action="/scaling/policy"] button.main`)
	d.See(`button[name="confirmed"]`)
	d.reads("main", "20 → 40")
	d.Click(`button[name="confirmed"]`)
	d.done("of the policy is in force")
	d.Await(`document.getElementById('p-target').value === '40'`)
}

func (d *day) goesBack() {
	d.opens("/scaling")
	d.fills("#p-max", "3")
	d.confirms("form.policy button.main", "Put this policy in force?", "2 → 3")
	d.done("of the policy is in force")
	d.reads("tr", d.info.Administrator.Username)
	d.shoot("scaling-versions")
	d.confirms(`form[action="/scaling/restore"] button`, "Go back to this policy?", "3 → 2")
	d.done("of the policy is in force")
	d.Await(`document.getElementById('p-max').value === '2'`)
}

func (d *day) readsDecisions() {
	d.opens("/scaling/decisions")
	d.Await(`document.querySelectorAll('tbody tr').length > 0`)
	d.Click(`.tabs a[href*="changes"]`)
	d.Await(`location.search.includes('changes') && document.querySelectorAll('tbody tr').length > 0`)
	d.fits()
	d.shoot("decisions")
	d.complains()
}

// seesWhoIsAway ends the scaler and Redis: pages say so, and go on.
func (d *day) seesWhoIsAway() {
	d.opens("/health")
	d.reads(`[data-key="disk-NATS"]`, "Every ")
	d.Await(`document.querySelectorAll('.stores .badge.idle').length === 4`)
	d.shoot("health")
	d.kill(d.t, "scaler", syscall.SIGKILL)
	d.kill(d.t, "redis", syscall.SIGKILL)
	d.reads(`[data-key="Redis"]`, "does not answer")
	d.Await(`document.querySelector('[data-key="store-Redis"] .badge.failed')`)
	d.shoot("health-away")
	d.opens("/scaling")
	d.reads(`[data-key="silent"]`, "No scaler answers.")
	d.shoot("scaling-silent")
	d.start(d.t, "redis")
	d.start(d.t, "scaler")
	d.Await(`!document.querySelector('[data-key="silent"]') && !document.querySelector('.troubles').children.length`)
}

// seesItFlyBlind ends the database, so that nobody knows how much waits.
func (d *day) seesItFlyBlind() {
	d.opens("/scaling")
	d.kill(d.t, "mariadb", syscall.SIGKILL)
	d.reads(`[data-key="blind"]`, "It flies blind", "the number of waiting photos is ") // too old
	d.reads(`[data-key="MySQL"]`, "does not answer")
	d.shoot("scaling-blind")
	d.opens("/")
	d.reads(`[data-key="MySQL"]`, "does not answer")
	d.shoot("overview-away")
	d.start(d.t, "mariadb")
	d.Await(`!document.querySelector('.troubles').children.length`)
	d.opens("/scaling")
	d.Await(`!document.querySelector('[data-key="blind"]') && document.querySelectorAll('.why strong').length > 0`)
	eventually(d.t, "the doors to see the database", d.doorIsOpen)
	d.Problems() // what was refused meanwhile
}

func (d *day) searchesTheAudit() {
	done := []string{
		"lanes.pause", "lanes.resume", "intake.pause", "intake.resume", "jobs.retry", "jobs.cancel", "jobs.dead.redrive", "jobs.dead.trial.end", "jobs.dead.discard",
		"scaler.resize", "scaler.shrink", "scaler.grow", "scaler.drain", "scaler.destroy", "scaler.pause", "scaler.resume",
		"scaler.policy.put", "scaler.policy.restore", "data.erase",
	}
	for _, action := range done {
		d.refreshes("/audit?action="+action, `document.querySelectorAll('.audit li').length > 0`)
	}
	d.opens("/audit")
	d.shoot("audit")
	d.Type("#actor", d.info.Administrator.Username)
	d.Type("#action", "scaler.")
	d.fills("#via", "page")
	d.Click(".filters button.main")
	d.Await(`location.search.includes('action=scaler.') && document.querySelectorAll('.audit li').length > 5`)
	d.Click(".audit summary")
	d.See(".audit details[open] dl")
	d.fits()
	d.shoot("audit-found")
	d.fills("#action", "data.")
	d.Click(".filters button.main")
	d.Await(`document.querySelectorAll('.audit li').length === 6`) // three were asked for, and done
	d.complains()
}
