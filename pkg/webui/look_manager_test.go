package webui_test

import (
	"fmt"
	"slices"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/webui"
)

// atManager is the frame of an operator's page.
func atManager(title, nav string) webui.Frame {
	return webui.Frame{Site: webui.SiteManager, Title: title, Nav: nav, User: "admin", Operator: true, Admin: true}
}

func managerPictures() []picture {
	return slices.Concat(overviewPictures(), confirmPictures(), queuePictures(), fleetPictures(), scalingPictures(), jobPictures(), failurePictures(), auditPictures(), erasePictures(), healthPictures())
}

func overviewPictures() []picture {
	now := time.Now()
	fresh := webui.Reading{At: now}
	stale := webui.Reading{At: now.Add(-34 * time.Second), Stale: true}
	workers := make([]webui.WorkerRow, 8)
	for i := range workers {
		workers[i] = webui.WorkerRow{
			ID: fmt.Sprintf("worker-%d", i+1), Instance: fmt.Sprintf("i-0%da7f3", i), Version: "0.1.0", Model: "maskfleet 0.1.0",
			Slots: 2 + 2*(i%3), Busy: i % 3, Draining: i == 4, CPU: 0.13 * float64(i%7), SeenAt: now.Add(-time.Duration(i) * time.Second), Since: now.Add(-3 * time.Hour),
			Photo: webui.InstanceRow{PhotoTime: time.Duration(95+i*i*4) * time.Millisecond},
		}
	}
	lanes := []webui.LaneRow{{Lane: job.LaneInteractive}, {Lane: job.LaneBatch, Pending: 12480, InFlight: 8, PausedUntil: now.Add(9 * time.Minute), PausedBy: "olga", PauseReason: "the camera at the gate is mended"}, {Lane: job.LaneCanary}}
	parts := func(read webui.Reading) []webui.PartRow {
		return []webui.PartRow{
			{Name: "MySQL", Took: 900 * time.Microsecond, Read: read}, {Name: "NATS", Took: 2 * time.Millisecond, Read: fresh},
			{Name: "S3", Took: 7 * time.Millisecond, Read: fresh}, {Name: "Redis", Took: time.Millisecond, Read: fresh},
		}
	}
	pace := webui.Pace{}
	for i := range 30 {
		pace.Accepted = append(pace.Accepted, 300+(i*i*37)%260)
		pace.Finished = append(pace.Finished, 220+(i*53)%90)
		pace.Failed = append(pace.Failed, (i*i)%7/5)
	}
	busy := webui.OverviewPage{
		Frame: atManager("Overview", webui.NavOverview), At: now, Parts: parts(fresh), Workers: workers, WorkersRead: fresh, PhotoTime: 110 * time.Millisecond, Slowest: webui.Slowest{ID: "i-07a7f3", Time: 291 * time.Millisecond, Of: 8}, Lanes: lanes, LanesRead: fresh,
		Queued: 12480, Processing: 8, Oldest: 47 * time.Second, OpenRead: fresh, SentRead: fresh,
		SentNow: webui.SentNow{Worker: true, Photo: 1200 * time.Millisecond, Item: 4 * time.Second, Longest: 21 * time.Minute, All: 22 * time.Minute},
		Pace:    pace, PaceRead: fresh,
		Intake: &webui.Pause{Until: now.Add(22 * time.Minute), Reason: "the store moves", By: "admin"},
		States: []webui.StateRow{{job.StateQueued, 12492}, {job.StateProcessing, 8}, {job.StateSucceeded, 1284031}, {job.StateFailed, 17}, {job.StateCancelled, 0}, {job.StateExpired, 3}}, StatesRead: fresh,
		Failures: 17, FailuresRead: fresh, ScalingRead: fresh,
		Scaling: webui.ScalingNews{
			Last:   &webui.DecisionRow{Since: now.Add(-4 * time.Minute), At: now.Add(-2 * time.Second), Ticks: 48, Size: 8, Target: 8, Reason: "12 488 photos wait or are in work; 8 instances finish them within the target wait of 60 s only by growing, and 8 is the most that the policy allows."},
			Change: &webui.DecisionRow{Since: now.Add(-6 * time.Minute), At: now.Add(-6 * time.Minute), Ticks: 1, Size: 5, Target: 8, Reason: "9 210 photos wait, the oldest for 71 s; the target is 60 s."},
		},
	}
	zero := []webui.StateRow{{job.StateQueued, 0}, {job.StateProcessing, 0}, {job.StateSucceeded, 0}, {job.StateFailed, 0}, {job.StateCancelled, 0}, {job.StateExpired, 0}}
	empty := webui.OverviewPage{
		Frame: atManager("Overview", webui.NavOverview), At: now, Parts: parts(fresh), WorkersRead: fresh,
		Lanes:     []webui.LaneRow{{Lane: job.LaneInteractive}, {Lane: job.LaneBatch}, {Lane: job.LaneCanary}},
		LanesRead: fresh, OpenRead: fresh, SentRead: fresh, StatesRead: fresh, FailuresRead: fresh, States: zero,
		Pace: webui.Pace{Accepted: make([]int, 30), Finished: make([]int, 30), Failed: make([]int, 30)}, PaceRead: fresh, ScalingRead: fresh,
	}
	away := busy
	away.Intake = nil
	away.StatesRead, away.OpenRead, away.PaceRead, away.ScalingRead = stale, stale, stale, stale
	away.Parts = parts(stale)
	away.Parts[0].AwaySince = now.Add(-34 * time.Second)
	away.WorkersRead, away.Workers, away.LanesRead, away.Lanes = webui.Reading{Stale: true}, nil, webui.Reading{Stale: true}, nil
	away.Troubles = []webui.Trouble{
		{Part: "MySQL", Since: now.Add(-34 * time.Second), Means: "No photo is accepted; workers wait. What was accepted is safe."},
		{Part: "NATS", Since: now.Add(-12 * time.Second), Means: "Photos are accepted and are queued once it is back."},
	}
	return []picture{
		{"overview-empty", "overview", empty},
		{"overview-busy", "overview", busy},
		{"overview-away", "overview", away},
	}
}

func confirmPictures() []picture {
	page := webui.ConfirmPage{
		Frame: atManager("Re-drive", webui.NavFailures), Heading: "Try 120 photos again?", Consequence: "They go into the canary lane, 2 a second, the oldest first.",
		Facts:   []webui.Fact{{"Photos", "120"}, {"More that were meant", "31"}, {"The last is due in", "60 s"}},
		Warning: "Another try of 7 photos of these ends the same way.",
		Refused: []string{"3 photos belong to a batch that is closed, and stay as they are."},
		Action:  "/failures/redrive", Button: "Try 120 again", Back: "/failures",
		Does: webui.NewCommand("does", "maskfleet.jobs.dead.redrive", []byte(`{"reason":"decoder_crashed","model":"maskfleet-accurate 2026-11-1-97cc58fc","limit":120,"per_second":2,"canary":true}`)),
	}
	typed := page
	typed.Heading, typed.Consequence, typed.Typed, typed.Danger, typed.Button = "Erase everything?", "Photos, pictures and results of all accounts are removed. This cannot be undone.", "erase everything", true, "Erase 1 284 031 photos"
	nothing := page
	nothing.Heading, nothing.Nothing, nothing.Facts = "Nothing to try again", true, nil
	return []picture{{"confirm", "confirm", page}, {"confirm-typed", "confirm", typed}, {"confirm-nothing", "confirm", nothing}}
}

func queuePictures() []picture {
	now := time.Now()
	fresh := webui.Reading{At: now}
	busy := webui.QueuePage{
		Frame: atManager("Queue", webui.NavQueue), At: now, LanesRead: fresh, IntakeRead: fresh, WaitingRead: fresh, SentRead: fresh,
		SentNow: webui.SentNow{Worker: true, Photo: 1200 * time.Millisecond, Item: 4 * time.Second, Longest: 21 * time.Minute, ItemPaused: true},
		Lanes:   []webui.LaneRow{{Lane: job.LaneInteractive, Pending: 12, InFlight: 3, Asking: 0}, {Lane: job.LaneBatch, Pending: 3960, InFlight: 13, PausedUntil: now.Add(9 * time.Minute), PausedBy: "olga", PauseReason: "the camera at the gate is mended"}, {Lane: job.LaneCanary, Asking: 8}},
		Intake:  &webui.Pause{Until: now.Add(22 * time.Minute), Reason: "the store moves", By: "admin"},
		Waiting: map[job.Lane]webui.Waiting{job.LaneInteractive: {Photos: 15, Oldest: 1400 * time.Millisecond}, job.LaneBatch: {Photos: 61227, Oldest: 7 * time.Minute}},
		InMySQL: 57270, Outside: 2,
		Shares: []webui.ShareRow{{"cameras.north", 2, 40110, 1320, 0.333}, {"cameras.south", 1, 20000, 1320, 0.333}, {"inspections", 1, 1130, 1320, 0.333}},
	}
	empty := webui.QueuePage{
		Frame: atManager("Queue", webui.NavQueue), At: now, LanesRead: fresh, IntakeRead: fresh, WaitingRead: fresh,
		Lanes: []webui.LaneRow{{Lane: job.LaneInteractive, Asking: 2}, {Lane: job.LaneBatch, Asking: 2}, {Lane: job.LaneCanary, Asking: 2}},
	}
	pause := webui.PausePage{
		Frame: atManager("Pause the lane batch", webui.NavQueue), Heading: "Pause the lane batch", Lane: job.LaneBatch, Action: "/queue/lanes/pause", Back: "/queue",
		Means: "No photo of it is given out. 13 photos in hand go on, 3 960 photos wait, and so does what is accepted meanwhile.",
		Does:  webui.NewCommand("does", "maskfleet.lanes.pause", []byte(`{"lane":"batch","for":"30m"}`)),
	}
	return []picture{{"queue-busy", "queue", busy}, {"queue-empty", "queue", empty}, {"queue-pause", "pause", pause}}
}

func jobRows(n int) []webui.JobRow {
	names := []string{"gate-7-0001.jpg", "IMG_20261123_081544 with quite a long name (copy 2).jpeg", "https://cameras.example/site-4/gate/2026-11-23/0815.jpg", "Aufnahme vor dem Werkstor.png"}
	states := []job.State{job.StateSucceeded, job.StateProcessing, job.StateFailed, job.StateQueued, job.StateSucceeded}
	rows := make([]webui.JobRow, n)
	for i := range rows {
		rows[i] = webui.JobRow{
			ID: fmt.Sprintf("0199d3a2-6c1e-7b04-9d57-3f2a8c51e6%02x", i), Name: names[i%4], Owner: []string{"ann", "cameras.north"}[i%2], State: states[i%5],
			Lane: job.Lanes()[i%2], Attempts: 1 + i%3, Worker: fmt.Sprintf("worker-%d", i%4+1), AcceptedAt: time.Now().Add(-time.Duration(i*i) * time.Minute),
		}
		switch rows[i].State {
		case job.StateFailed:
			rows[i].Code = job.CodeDecoderCrashed
		case job.StateSucceeded:
			rows[i].Category = job.CategorySomeMasked
		}
	}
	return rows
}

func jobPictures() []picture {
	list := func(n int, q webui.JobQuery) webui.JobsPage {
		return webui.JobsPage{Frame: atManager("Jobs", webui.NavJobs), Query: q, States: job.States(), Lanes: job.Lanes(), Codes: job.Codes(), Categories: job.Categories(), Rows: jobRows(n), First: true}
	}
	many := list(50, webui.JobQuery{State: "failed", Owner: "cameras.north", Code: "decoder_crashed"})
	many.Next = many.Query.Older("x")
	wrong := list(0, webui.JobQuery{Name: "gate"})
	wrong.Wrong = "The field \"name\" is looked for among the photos of an owner or a batch, or between from and to that are at most a day apart."
	now := time.Now()
	fact := func(pairs ...string) (facts []webui.Fact) {
		for i := 0; i < len(pairs); i += 2 {
			facts = append(facts, webui.Fact{Name: pairs[i], Value: pairs[i+1]})
		}
		return facts
	}
	failed := webui.JobPage{
		Frame: atManager("gate-7-0001.jpg", webui.NavJobs), JobRow: jobRows(3)[2], Source: "link", Link: "https://cameras.example/site-4/gate/2026-11-23/0815.jpg", ContentType: "image/jpeg", Bytes: 182734, Width: 1280, Height: 960,
		SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Original: true, Failure: "The photo could not be looked at: the program that did so was ended by it.", Cause: "signal: killed", Model: "maskfleet-accurate 2026-11-1-97cc58fc",
		Row: fact("Attempts", "2 of 5", "Slot deaths", "2", "Fence", "2", "Publication", "1", "Seen on the broker", "yes", "Dead letter written", "yes"), Message: "none", Metadata: fact("gate", "7"),
		MayRetry: true, Retry: webui.NewCommand("retry", "maskfleet.jobs.retry", []byte(`{"ids":["0199d3a2-6c1e-7b04-9d57-3f2a8c51e602"]}`)).That("try it again"), Get: webui.NewCommand("get", "maskfleet.jobs.get", []byte(`{"id":"0199d3a2-6c1e-7b04-9d57-3f2a8c51e602"}`)).That("show all that is known of it"),
		Began: "2026-11-28 21:22:39 UTC",
		Timeline: []webui.Moment{
			{At: now.Add(-time.Minute), Word: "Accepted", Facts: fact("source", "link")},
			{At: now.Add(-59 * time.Second), After: time.Second, Word: "Claimed by a worker", Facts: fact("attempt", "1", "fence", "1", "worker id", "worker-3")},
			{At: now.Add(-57 * time.Second), After: 2 * time.Second, Word: "Failed, to be tried again", Class: "warn", Facts: fact("code", "decoder_crashed", "slot death", "true")},
			{At: now.Add(-50 * time.Second), After: 7 * time.Second, Word: "Claimed by a worker", Facts: fact("attempt", "2", "fence", "2", "worker id", "worker-3")},
			{At: now.Add(-48 * time.Second), After: 2 * time.Second, Word: "Failed for good", Class: "bad", Facts: fact("code", "decoder_crashed")},
			{At: now.Add(-48 * time.Second), After: 3 * time.Millisecond, Word: "Dead letter written", Class: "bad"},
		},
	}
	cut := failed
	cut.Name, cut.Source, cut.Link, cut.Upload, cut.Original, cut.Code = "1-cut4.jpg", "signed_upload", "", "01a22409-d83e-71d1-97b4-ca20f1d8298e", false, job.CodeDecodeFailed
	cut.Failure, cut.Cause, cut.Vain = job.Fail(job.CodeDecodeFailed, nil).Message(), "the file ends too early", "Another try ends the same way: it is the file. It has to be sent again, from the original."
	done := failed
	done.JobRow, done.Failure, done.Picture, done.Faces, done.MayRetry, done.Unknown = jobRows(1)[0], "", true, job.Counts{Faces: 3, Masked: 2, Unmasked: 1}, false, true
	done.Timing = fact("Waited", "18 ms", "Fetching", "4 ms", "Looking for faces", "84 ms", "In all", "131 ms")
	return []picture{
		{"jobs-many", "jobs", many}, {"jobs-none", "jobs", list(0, webui.JobQuery{})}, {"jobs-not-found", "jobs", list(0, webui.JobQuery{Owner: "bob"})}, {"jobs-wrong", "jobs", wrong},
		{"job-failed", "job", failed}, {"job-cut", "job", cut}, {"job-done", "job", done},
	}
}

func failurePictures() []picture {
	now := time.Now()
	group := func(reason job.Code, photos int, shown bool) webui.FailureGroup {
		g := webui.FailureGroup{
			Reason: string(reason), Says: job.Fail(reason, nil).Message(), Model: "maskfleet-accurate 2026-11-1-97cc58fc", Photos: photos,
			Oldest: now.Add(-3 * time.Hour), Newest: now.Add(-2 * time.Minute),
		}
		for _, r := range jobRows(min(photos, 4)) {
			g.Samples = append(g.Samples, webui.Sample{ID: r.ID, Name: r.Name, Shown: shown})
		}
		return g
	}
	many := webui.FailuresPage{
		Frame: atManager("Failures", webui.NavFailures), At: now, Total: 1302, Read: webui.Reading{At: now},
		Groups: []webui.FailureGroup{group(job.CodeInferenceTimeout, 1284, true), group(job.CodeDecoderCrashed, 17, false), group(job.CodeFetchStatus, 1, false)},
		Strays: []webui.Stray{{Reason: "unknown", Letters: 3}},
	}
	many.Groups[2].Model, many.Groups[2].Vain = "", "Another try ends the same way: it is the file. It has to be sent again, from the original."
	many.Trial = &webui.Trial{
		Worker: "i-0e68ace0923f95cdf", By: "olga", Reason: "inference_timeout", Model: many.Groups[0].Model, BegunAt: now.Add(-time.Minute), Until: now.Add(29 * time.Minute),
		Alive: true, Lasts: true, Succeeded: 2, Failed: 1, Tried: []webui.Tried{{ID: "a", Name: "gate-7-0001.jpg", State: job.StateSucceeded}, {ID: "b", Name: "https://cameras.example/site-4/gate/2026-11-23/0815.jpg", State: job.StateSucceeded}, {ID: "c", Name: "gate-7-0003.jpg", State: job.StateFailed, Code: "inference_timeout"}},
		Rest: 1284, Redrive: many.Groups[0].Redrive(), Ends: webui.NewCommand("end-trial", "maskfleet.jobs.dead.trial.end", []byte("{}")),
	}
	redrive := webui.RedrivePage{Frame: atManager("Try again", webui.NavFailures), Group: many.Groups[0], Limit: 5, Canary: true,
		Workers: []webui.CanaryWorker{{ID: "i-0e68ace0923f95cdf", Model: many.Groups[0].Model, Busy: 1, Slots: 4, Chosen: true}, {ID: "i-0b77c2", Slots: 4, Busy: 3}}, Does: webui.NewCommand("does", "maskfleet.jobs.dead.redrive", []byte(`{"reason":"inference_timeout","model":"maskfleet-accurate 2026-11-1-97cc58fc","limit":5,"per_second":1,"canary":true}`))}
	return []picture{{"failures-many", "failures", many}, {"failures-none", "failures", webui.FailuresPage{Frame: atManager("Failures", webui.NavFailures), At: now, Read: webui.Reading{At: now}, Unknown: true}}, {"failures-redrive", "redrive", redrive}}
}

func auditPictures() []picture {
	now := time.Now()
	page := webui.AuditPage{Frame: atManager("Audit", webui.NavAudit), First: true, Newest: "/audit", Next: "/audit?before=x", Chosen: true, Action: "jobs.", Events: "/events/audit", At: now, New: 3}
	for i := range 12 {
		page.Rows = append(page.Rows, webui.AuditRow{
			At: now.Add(-time.Duration(i*i) * time.Minute), Actor: []string{"admin", "operator", "olga.with-a-long-name"}[i%3], Action: []string{"jobs.retry", "lanes.pause", "jobs.dead.redrive", "user.create"}[i%4],
			Subject: []string{"0199d3a2-6c1e-7b04-9d57-3f2a8c51e602", "batch", "", "ann"}[i%4], Via: []string{"page", "nats", "api"}[i%3], Outcome: []string{"done", "done", "done", "unavailable"}[i%4], Says: []string{"1 photo", "until 2026-11-28 06:54:08 UTC, the store moves", "5 photos, decode_failed, at i-0e68ace0923f95cdf", ""}[i%4],
			Detail: []webui.Fact{{Name: "request", Value: `{"lane":"batch","for":"30m","reason":"the store moves"}`}, {Name: "answer", Value: `{"lane":"batch","paused_until":"2026-11-28T06:54:08.07Z","was_paused":false,"pending":0,"in_flight":0}`}},
		})
	}
	return []picture{{"audit-many", "audit", page}, {"audit-none", "audit", webui.AuditPage{Frame: atManager("Audit", webui.NavAudit), First: true, Newest: "/audit"}}}
}

func erasePictures() []picture {
	now := time.Now()
	facts := []webui.Fact{{Name: "Photos in MySQL, with their faces", Value: "12 480"}, {Name: "Objects in S3", Value: "37 212"}, {Name: "Dead letters", Value: "17"}}
	page := webui.ErasePage{
		Frame: atManager("Erase", webui.NavErase), At: now, Today: "2026-11-28", Read: webui.Reading{At: now},
		Erasures: []webui.ErasureRow{
			{ID: "a", What: "erase cameras.north", AskedBy: "admin", At: now.Add(-90 * time.Second), Found: 12480, Marked: 12480, Left: 5120, Facts: facts},
			{ID: "b", What: "erase before 2026-03-01", AskedBy: "olga", At: now.Add(-3 * time.Hour), Found: 400, Marked: 120, Trouble: "A store does not answer; it goes on when that is back.", Facts: facts},
			{ID: "c", What: "erase everything", AskedBy: "admin", At: now.Add(-50 * time.Hour), DoneAt: now.Add(-49 * time.Hour), Found: 1284031, Marked: 1284031, Facts: []webui.Fact{{Name: "Photos removed from MySQL, with their faces", Value: "1 284 031"}, {Name: "Objects found in S3 when it began", Value: "37 212 or more"}}, Remains: []string{"accounts, their keys and webhooks", "backups of the stores"}},
		},
	}
	viewer := webui.ErasePage{Frame: atManager("Erase", webui.NavErase), At: now, Read: webui.Reading{At: now}}
	viewer.Admin = false
	return []picture{{"erase", "erase", page}, {"erase-none", "erase", viewer}}
}

func healthPictures() []picture {
	now := time.Now()
	fresh := webui.Reading{At: now}
	page := webui.HealthPage{
		Frame: atManager("Health", webui.NavHealth), At: now, StreamsRead: fresh, ServicesRead: fresh, DutiesRead: fresh,
		Disks: []webui.DiskRow{
			{"MySQL", "Up to a second late", false, "A loss of power loses photos that were accepted: innodb_flush_log_at_trx_commit is 2, and should be 1. There is no binary log.", fresh},
			{"NATS", "Every 10 s", true, "What a loss of power takes is published again: the row in MySQL is the promise.", fresh},
			{"Redis", "Each change", true, "It is appended to its file as it comes (appendonly). What it loses are sessions, so that people log in again, and results, which MySQL has.", fresh},
		},
		Clocks: []webui.ClockRow{{Of: "MySQL", Note: "leases of photos go by it", Ahead: 3 * time.Millisecond, Read: fresh}, {Of: "NATS", Note: "signs of life and pauses go by it", Ahead: -120 * time.Millisecond, Read: fresh}, {Of: "Workers", Note: "the furthest of 8: worker-3", Ahead: -4200 * time.Millisecond, Apart: true, Read: fresh}},
		Duties: []webui.DutyRow{
			{Name: "scaler", Does: "Decides how many instances there are", Holder: "a", Who: "scaler-01a22409-d83e", RenewedAt: now, DidAt: now.Add(-2 * time.Second), Did: "decided on 8 instances"},
			{Name: "dispatcher", Does: "Gives the batches’ photos to the queue, each owner in turn"},
			{Name: "eraser", Does: "Erases what was deleted or is past its time, and holds S3 against the rows", Holder: "b", Who: "i-0e68ace0923f95cdf", Instance: "i-0e68ace0923f95cdf", RenewedAt: now, DidAt: now.Add(-20 * time.Second), Did: "erased 356 photos; swept 2 days with 20 418 objects: 3 removed that no row names, 0 missing 31 min ago"},
		},
		Parts: []webui.PartRow{
			{Name: "MySQL", Does: "the truth", AwaySince: now.Add(-9 * time.Second), Read: webui.Reading{At: now.Add(-10 * time.Second), Stale: true}, Facts: []webui.Fact{{"Version", "10.11.14-MariaDB-0+deb12u2"}, {"Connections", "31 of 151"}, {"Tables and indexes", "1.4 GB"}}, Console: "https://console.aws.amazon.com/rds"},
			{Name: "NATS", Does: "the queue", Took: 2 * time.Millisecond, Read: fresh, Facts: []webui.Fact{{"Version", "2.14.1"}}},
			{Name: "S3", Does: "the pictures", Took: 7 * time.Millisecond, Read: fresh, Facts: []webui.Fact{{"Bucket", "maskfleet"}, {"At", "http://127.0.0.1:7070"}}},
			{Name: "Redis", Does: "sessions and fast answers", Took: time.Millisecond, Read: fresh, Facts: []webui.Fact{{"Version", "7.0.15"}, {"Memory", "24.1 MB of no limit"}}},
		},
		Troubles: []webui.Trouble{{Part: "MySQL", Since: now.Add(-9 * time.Second), Means: "No photo is accepted and workers wait until it is back. What was accepted is safe."}},
		Services: []webui.ServiceRow{{"maskfleet-manager", 1, []string{"3ba9ce1"}, 3 * time.Millisecond}, {"maskfleet-worker", 8, []string{"3ba9ce1", "30a8a95"}, 41 * time.Millisecond}, {Name: "maskfleet-scaler"}},
		Streams:  []webui.StreamRow{{"JOBS", 12480, 4_100_000, 268_435_456, 0.125, 1, now.Add(-time.Minute)}, {"DEAD", 17, 21_000, 268_435_456, 0, 1, now.Add(-50 * time.Hour)}, {"KV_WORKERS", 8, 4_000, 33_554_432, 0, 1, now}},
	}
	return []picture{{"health", "health", page}, {"health-unknown", "health", webui.HealthPage{Frame: atManager("Health", webui.NavHealth), At: now, Parts: page.Parts[1:]}}}
}
