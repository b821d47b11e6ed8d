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
	return slices.Concat(overviewPictures(), confirmPictures(), queuePictures())
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
		}
	}
	lanes := []webui.LaneRow{{Lane: job.LaneInteractive}, {Lane: job.LaneBatch, Pending: 12480, InFlight: 8, PausedUntil: now.Add(9 * time.Minute)}, {Lane: job.LaneCanary}}
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
		Frame: atManager("Overview", webui.NavOverview), At: now, Parts: parts(fresh), Workers: workers, WorkersRead: fresh, Lanes: lanes, LanesRead: fresh,
		Queued: 12480, Processing: 8, Oldest: 47 * time.Second, OpenRead: fresh, Pace: pace, PaceRead: fresh,
		Intake: &webui.Pause{Until: now.Add(22 * time.Minute), Reason: "the store moves", By: "admin"},
		States: []webui.StateRow{{job.StateQueued, 12492}, {job.StateProcessing, 8}, {job.StateSucceeded, 1284031}, {job.StateFailed, 17}, {job.StateCancelled, 0}, {job.StateExpired, 3}}, StatesRead: fresh,
		DeadLetters: 17, DeadRead: fresh, ScalingRead: fresh,
		Scaling: webui.ScalingNews{
			Last:   &webui.DecisionRow{Since: now.Add(-4 * time.Minute), At: now.Add(-2 * time.Second), Ticks: 48, Size: 8, Target: 8, Reason: "12 488 photos wait or are in work; 8 instances finish them within the target wait of 60 s only by growing, and 8 is the most that the policy allows."},
			Change: &webui.DecisionRow{Since: now.Add(-6 * time.Minute), At: now.Add(-6 * time.Minute), Ticks: 1, Size: 5, Target: 8, Reason: "9 210 photos wait, the oldest for 71 s; the target is 60 s."},
		},
	}
	zero := []webui.StateRow{{job.StateQueued, 0}, {job.StateProcessing, 0}, {job.StateSucceeded, 0}, {job.StateFailed, 0}, {job.StateCancelled, 0}, {job.StateExpired, 0}}
	empty := webui.OverviewPage{
		Frame: atManager("Overview", webui.NavOverview), At: now, Parts: parts(fresh), WorkersRead: fresh,
		Lanes:     []webui.LaneRow{{Lane: job.LaneInteractive}, {Lane: job.LaneBatch}, {Lane: job.LaneCanary}},
		LanesRead: fresh, OpenRead: fresh, StatesRead: fresh, DeadRead: fresh, States: zero,
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
		Frame: atManager("Queue", webui.NavQueue), At: now, LanesRead: fresh, IntakeRead: fresh, WaitingRead: fresh,
		Lanes:  []webui.LaneRow{{Lane: job.LaneInteractive, Pending: 12, InFlight: 3, Asking: 0}, {Lane: job.LaneBatch, Pending: 3960, InFlight: 13, PausedUntil: now.Add(9 * time.Minute)}, {Lane: job.LaneCanary, Asking: 8}},
		Intake: &webui.Pause{Until: now.Add(22 * time.Minute), Reason: "the store moves", By: "admin"},
		Line:   15, LineOldest: 1400 * time.Millisecond, Outside: 2, Batches: 4, BatchOldest: 7 * time.Minute, BatchItems: 61240, BatchesOnBroker: 3960,
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
