package webui_test

import (
	"fmt"
	"math"
	"time"

	"maskfleet/pkg/webui"
)

func fleetPictures() []picture {
	now := time.Now()
	fresh := webui.Reading{At: now}
	stale := webui.Reading{At: now.Add(-48 * time.Second), Stale: true}
	instances, photos := fleetCharts(now)
	busy := webui.FleetPage{
		Frame: atManager("Fleet", webui.NavFleet), At: now, Entry: "http://127.0.0.1:8080", Fleet: fresh, ChartRead: fresh,
		Scaler: webui.ScalerState{Read: fresh, Who: "scaler-1", Size: 8, Target: 8, Override: &webui.OverrideRow{Kind: "pin", Size: 8, Who: "ann", Why: "the open day", Until: now.Add(18 * time.Minute)}},
		Ready:  6, Starting: 2, Draining: 1, Slots: 18, Busy: 13, Instances: instances, Photos: photos,
		Tabs:      []webui.FleetTab{{"", "All", 9, "/fleet"}, {"ready", "Ready", 5, "/fleet?role=ready"}, {"starting", "Starting", 2, "/"}, {"draining", "Draining", 1, "/"}, {"failed", "Failed", 1, "/"}},
		PhotoTime: 110 * time.Millisecond, Slowest: webui.Slowest{ID: "i-08a7f3c1e5d2b488", Time: 351 * time.Millisecond, Of: 7}, Rows: instanceRows(now), Next: "/fleet?after=i-9",
	}
	empty := webui.FleetPage{
		Frame: atManager("Fleet", webui.NavFleet), At: now, Fleet: fresh, ChartRead: fresh, Scaler: webui.ScalerState{Read: fresh},
		Instances: webui.Chart{ID: "instances", Title: "Instances"}, Photos: webui.Chart{ID: "photos", Title: "Photos"}, Tabs: []webui.FleetTab{{"", "All", 0, "/fleet"}},
	}
	shrinking := busy
	shrinking.Scaler = webui.ScalerState{Read: fresh, Who: "scaler-1", Size: 4, Target: 2, Young: 2, YoungUntil: now.Add(48 * time.Second)}
	silent := busy
	silent.Operator, silent.Admin = false, false
	silent.Scaler.Silent, silent.Scaler.Read, silent.Fleet, silent.Next = true, stale, stale, ""
	silent.Scaler.Override = nil
	size := webui.SizePage{Frame: atManager("Set the size", webui.NavFleet), Size: 4, Min: 1, Max: 8, Does: webui.NewCommand("does", "maskfleet.scaler.resize", []byte(`{"size":3,"for":"20m","why":"the open day"}`))}
	return []picture{
		{"fleet-busy", "fleet", busy}, {"fleet-empty", "fleet", empty}, {"fleet-silent", "fleet", silent}, {"fleet-shrinking", "fleet", shrinking}, {"fleet-size", "size", size},
		{"fleet-instance", "instance", instancePicture(now)}, {"fleet-drained", "instance", drainedPicture(now)}, {"fleet-gone", "instance", gonePicture(now)},
		{"fleet-hours", "instance-history", webui.InstanceHistoryPage{Frame: atManager("i-04a7f3c1e5d2b484", webui.NavFleet), ID: "i-04a7f3c1e5d2b484", Span: "3h", CPU: instancePicture(now).CPU, Rates: instancePicture(now).Rates, Does: webui.NewCommand("does-history", "maskfleet.scaler.history", []byte(`{"instance":"i-04a7f3c1e5d2b484","for":"3h"}`))}},
		{"fleet-hours-none", "instance-history", webui.InstanceHistoryPage{Frame: atManager("i-04a7f3c1e5d2b484", webui.NavFleet), ID: "i-04a7f3c1e5d2b484", Span: "24h", Wrong: "Nobody answers there."}},
		{"fleet-log", "log", logPicture(now)},
		{"fleet-stopped", "stopped", webui.StoppedPage{Frame: atManager("The manager has stopped", ""), Retire: 3}},
	}
}

func fleetCharts(now time.Time) (instances, photos webui.Chart) {
	const n = 61
	from := now.Truncate(30 * time.Second).Add(-30 * time.Minute)
	c := webui.Chart{From: from, To: from.Add(30 * time.Minute), Marked: "Decision"}
	series := make([][]float64, 6)
	for i := range n {
		c.Times = append(c.Times, from.Add(time.Duration(i)*30*time.Second))
		wanted := 2.0
		switch {
		case i > 40:
			wanted = 8
		case i > 22:
			wanted = 5
		}
		ready, starting := wanted, 0.0
		if i > 22 && i < 26 {
			ready, starting = 2, 3
		}
		if i > 40 && i < 45 {
			ready, starting = 5, 3
		}
		waits := 40 + 30*math.Sin(float64(i)/4) + map[bool]float64{true: 900 * math.Exp(-float64((i-42)*(i-42))/60)}[i > 20]
		values := []float64{ready, wanted, starting, map[bool]float64{true: 1}[i > 56], math.Round(waits), ready * 2}
		if i > 9 && i < 13 { // nobody told anything
			values = []float64{math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()}
		}
		for s, v := range values {
			series[s] = append(series[s], v)
		}
	}
	c.Marks = []webui.Mark{
		{At: from.Add(690 * time.Second), Up: true, Words: "Grow from 2 to 5 instances: 5, because the load has jumped to 4.3 slots and may go on"},
		{At: from.Add(1230 * time.Second), Up: true, Words: "Grow from 5 to 8 instances: 8, because 913 photos wait; that asks for 11, the policy's maximum is 8"},
	}
	instances, photos = c, c
	instances.ID, instances.Title = "instances", "Instances"
	for i, name := range []string{"Ready", "Wanted", "Starting", "Draining"} {
		instances.Series = append(instances.Series, webui.Series{Name: name, Step: true, Values: series[i]})
	}
	photos.ID, photos.Title = "photos", "Photos"
	photos.Series = []webui.Series{{Name: "Waiting", Values: series[4]}, {Name: "In work", Values: series[5]}}
	return instances, photos
}

func instanceRows(now time.Time) []webui.InstanceRow {
	roles := []string{"ready", "ready", "starting", "draining", "ready", "failed", "ready", "starting", "ready"}
	var rows []webui.InstanceRow
	for i, role := range roles {
		row := webui.InstanceRow{
			ID: fmt.Sprintf("i-0%da7f3c1e5d2b48%d", i, i), Type: "c7i.large", Zone: "eu-central-1" + string(rune('a'+i%3)), Role: role, State: "running",
			Target: webui.TargetRow{State: "healthy"}, LaunchedAt: now.Add(-time.Duration(i*i+1) * 7 * time.Minute), Slots: 2, Busy: i % 3, Model: "maskfleet 2026-11-1",
		}
		for m := range 31 {
			row.CPU = append(row.CPU, (m*m*7+i*31)%90)
			row.Jobs = append(row.Jobs, 60+(m*13+i*17)%40)
			row.Requests = append(row.Requests, (m*m+i*9)%120)
		}
		row.CPUNow, row.JobsNow, row.RequestsNow = fmt.Sprint(row.CPU[30])+"\u202f%", fmt.Sprint(row.Jobs[30]), fmt.Sprint(row.Requests[30])
		row.PhotoTime = time.Duration(95+i*i*4) * time.Millisecond
		switch role {
		case "starting":
			row.PhotoTime = 0
			row.Target, row.Slots, row.Busy, row.Model = webui.TargetRow{State: "initial", Reason: "Elb.RegistrationInProgress"}, 0, 0, ""
			row.CPU, row.Jobs, row.Requests = make([]int, 31), make([]int, 31), make([]int, 31)
			row.CPUNow, row.JobsNow, row.RequestsNow = "\u2013", "\u2013", "\u2013"
		case "draining":
			row.Target, row.Leaving = webui.TargetRow{State: "draining", Reason: "Target.DeregistrationInProgress"}, "by ann: its disk is full"
		case "failed":
			row.Target, row.Health = webui.TargetRow{State: "unhealthy", Reason: "Target.FailedHealthChecks"}, "dangling"
		}
		row.Spot = i%4 == 0
		rows = append(rows, row)
	}
	return rows
}

func logPicture(now time.Time) webui.LogPage {
	page := webui.LogPage{Frame: atManager("Log of i-04a7f3c1e5d2b484", webui.NavFleet), Worker: "i-04a7f3c1e5d2b484", At: now, Of: 200, Does: webui.NewCommand("does-log", "maskfleet.worker.i-04a7f3c1e5d2b484.log", []byte(`{"lines":200}`))}
	for i := range 12 {
		line := webui.LogLine{At: now.Add(-time.Duration(i*i) * time.Second), Level: "INFO", Words: "photo done", Fields: []webui.Fact{{"photo_id", "0199d3a2-6c1e-7b04-9d57-3f2a8c51e6b0"}, {"duration_ms", "118.2"}}}
		switch i {
		case 3:
			line.Level, line.Words, line.Fields = "WARN", "photo not fetched", []webui.Fact{{"err", "Get \"https://cameras.example/site-4/gate/2026-11-23/0815.jpg\": dial tcp 203.0.113.9:443: i/o timeout"}}
		case 7:
			line.Level, line.Words = "ERROR", "slots ended"
		case 9:
			line = webui.LogLine{Words: "fatal error: runtime: out of memory"}
		}
		page.Lines = append(page.Lines, line)
	}
	return page
}

func instancePicture(now time.Time) webui.InstancePage {
	page := webui.InstancePage{
		Frame: atManager("i-04a7f3c1e5d2b484", webui.NavFleet), At: now, Row: instanceRows(now)[4], Known: true, Fleet: webui.Reading{At: now}, ChartRead: webui.Reading{At: now},
		Facts:    []webui.Fact{{"Type", "c7i.large"}, {"Zone", "eu-central-1b"}, {"Image", "ami-0a5c3e9d71f2b6480"}, {"Key pair", "operators"}, {"Private address", "10.0.1.12"}, {"Public address", "203.0.113.7"}, {"Launched", "2026-11-28 09:41:12 UTC"}},
		Tags:     []webui.Fact{{"Name", "maskfleet"}, {"maskfleet:intent", "0199d3a2-6c1e-7b04-9d57-3f2a8c51e6b0"}, {"maskfleet:pool", "main"}},
		UserData: "NATS_URL=nats://worker:•••@10.0.0.9\nMYSQL_PASSWORD=•••\nSLOTS=2\n",
		Failed:   []webui.FailedRow{{"0199d3a2-6c1e-7b04-9d57-3f2a8c51e6b0", "IMG_20261123_081544 with quite a long name (copy 2).jpeg", "decoder_crashed", now.Add(-8 * time.Minute)}},
		FailedIn: "the fleet’s last 200 failures", PhotoTime: 110 * time.Millisecond, Console: "https://console.aws.amazon.com/ec2",
		Commands: []webui.Command{webui.NewCommand("does-drain", "maskfleet.scaler.drain", []byte(`{"instance":"i-04a7f3c1e5d2b484"}`)), webui.NewCommand("does-destroy", "maskfleet.scaler.destroy", []byte(`{"instance":"i-04a7f3c1e5d2b484"}`))},
	}
	from := now.Truncate(time.Minute).Add(-30 * time.Minute)
	c := webui.Chart{From: from, To: from.Add(30 * time.Minute)}
	var cpu, requests, jobs []float64
	for i := range 31 {
		c.Times = append(c.Times, from.Add(time.Duration(i)*time.Minute))
		cpu = append(cpu, 40+30*math.Sin(float64(i)/3))
		requests = append(requests, float64(20+(i*37)%50))
		jobs = append(jobs, float64(90+(i*13)%31))
	}
	page.CPU, page.Rates = c, c
	page.CPU.ID, page.CPU.Title, page.CPU.Series = "cpu", "CPU", []webui.Series{{Name: "CPU", Unit: "%", Values: cpu}}
	page.Rates.ID, page.Rates.Title = "rates", "Requests and photos a minute"
	page.Rates.Series = []webui.Series{{Name: "HTTP requests", Unit: "a minute", Values: requests}, {Name: "Photos", Unit: "a minute", Values: jobs}}
	page.Workers = []webui.WorkerPart{{
		WorkerRow: webui.WorkerRow{ID: "i-04a7f3c1e5d2b484", Version: "1f0c3d2", Model: "maskfleet 2026-11-1", Slots: 2, Busy: 2, SeenAt: now, Since: now.Add(-2 * time.Hour)}, Says: true,
		Hand: []webui.HandRow{{"0199d3a2-6c1e-7b04-9d57-3f2a8c51e6b0", "batch", 1, 2 * time.Second, 88 * time.Second}, {"0199d3a2-6c1e-7b04-9d57-3f2a8c51e6b1", "interactive", 0, 100 * time.Millisecond, 0}},
	}}
	return page
}

// drainedPicture is of one that a person emptied and keeps.
func drainedPicture(now time.Time) webui.InstancePage {
	page := instancePicture(now)
	page.Row.Role, page.Row.Leaving, page.Row.Busy = "draining", "by ann: its disk is full", 1
	page.Row.Target = webui.TargetRow{State: "unhealthy", Reason: "Target.ResponseCodeMismatch"}
	page.Workers[0].Draining, page.Workers[0].Drain, page.Workers[0].Resumable = true, "by ann: its disk is full", true
	return page
}

// gonePicture is of one that has ended.
func gonePicture(now time.Time) webui.InstancePage {
	page := instancePicture(now)
	page.Row = webui.InstanceRow{ID: page.Row.ID, Role: "ended", Leaving: "by ann: its disk is full", Leaves: true}
	page.Known, page.Gone, page.BegunAt, page.EndedAt = false, true, now.Add(-10*time.Minute), now.Add(-8*time.Minute)
	page.Workers, page.Tellers, page.Commands = nil, []string{page.Row.ID}, nil
	for i := 22; i < 31; i++ {
		page.CPU.Series[0].Values[i], page.Rates.Series[0].Values[i], page.Rates.Series[1].Values[i] = math.NaN(), math.NaN(), math.NaN()
	}
	return page
}

func scalingPictures() []picture {
	now := time.Now()
	fresh := webui.Reading{At: now}
	form := webui.PolicyForm{Kind: "cpu-ratio", Revision: "41", Size: 4, Fields: map[string]webui.PolicyField{}}
	values := map[string]string{"min": "1", "max": "8", "slots": "2", "tick": "1", "target": "10", "price": "16", "boot": "60", "service": "0.12", "above": "70", "expand": "2", "below": "30", "keep": "50", "size": "1"}
	for _, f := range webui.PolicyFields() {
		f.Value = values[f.Name]
		form.Fields[f.Name] = f
	}
	decided := webui.DecisionRow{Since: now.Add(-4 * time.Minute), At: now.Add(-time.Second), Ticks: 240, Policy: "target-wait", Size: 8, Target: 8, Overridden: true, Reason: "8, because of a pin by ann (the open day) until 2026-11-28T12:30:00Z; the policy says: 5, because 913 photos wait and 12 photos a second keep 4.3 slots busy"}
	page := webui.ScalingPage{
		Frame: atManager("Scaling", webui.NavScaling), At: now, FormRead: true, Form: form, LogRead: true,
		Scaler: webui.ScalerState{Read: fresh, Size: 8, Target: 8, Override: &webui.OverrideRow{Kind: "pin", Size: 8, Who: "ann", Why: "the open day", Until: now.Add(18 * time.Minute)}},
		Decision: &webui.DecisionView{
			DecisionRow: decided, Version: 12, Within: 5, Why: "913 photos wait and 12 photos a second keep 4.3 slots busy",
			Wants: []webui.WantRow{{"backlog", 5, "913 photos wait and 12 photos a second keep 4.3 slots busy", true}, {"rate", 3, "12 photos a second at 0.36 s each keep 4.3 slots busy", false}, {"hold", 4, "4 were wanted 40 s ago", false}},
		},
		Readings: []webui.ReadingRow{{"accepted", true, 400 * time.Millisecond, ""}, {"backlog", true, 1200 * time.Millisecond, ""}, {"cpu", false, 0, "CloudWatch does not answer"}},
		Versions: []webui.VersionRow{{86, now.Add(-40 * time.Minute), 12, "cpu-ratio", "ann", "resize", "", true}, {80, now.Add(-26 * time.Hour), 11, "target-wait", "bob", "policy.put", "", false}, {77, now.Add(-50 * time.Hour), 0, "", "", "", "min 9 is above max 3", false}},
		Log:      []webui.DecisionRow{decided, {Since: now.Add(-9 * time.Minute), At: now.Add(-9 * time.Minute), Ticks: 1, Size: 5, Target: 8, Reason: "8, because the load has jumped to 7.1 slots and may go on"}, {Since: now.Add(-3 * time.Hour), At: now.Add(-9 * time.Minute), Ticks: 9120, Size: 5, Target: 5, Blind: true, Reason: "5 kept, flying blind: the queue's depth is 94 s old"}},
	}
	candidate := page
	candidate.Form.Candidate, candidate.Scaler.Override, candidate.Refusal = true, nil, "min 9 is above max 3"
	silent := webui.ScalingPage{Frame: atManager("Scaling", webui.NavScaling), At: now, Scaler: webui.ScalerState{Silent: true}}
	shrinking := page
	shrinking.Scaler = webui.ScalerState{Read: fresh, Size: 3, Target: 1, Young: 2, YoungUntil: now.Add(48 * time.Second)}
	calm := webui.DecisionRow{Since: now.Add(-time.Minute), At: now, Ticks: 60, Policy: "target-wait", Size: 3, Target: 1, Reason: "1, because 0.4 photos a second keep 0.05 slots busy"}
	shrinking.Decision = &webui.DecisionView{DecisionRow: calm, Version: 12, Within: 1, Wants: []webui.WantRow{{"rate", 1, "0.4 photos a second keep 0.05 slots busy", true}}}
	replay := webui.ReplayPage{
		Frame: atManager("The last day, replayed", webui.NavScaling), From: now.Add(-24 * time.Hour), To: now, Photos: 61204, Back: "/scaling",
		Says: "would have cost 31.2 instance-hours, 0.41 % late, the longest wait 41 s, 40 launches", Notes: []string{"readings are missing for 4m: what came then is spread evenly"},
		Columns: []webui.ReplayColumn{{"Happened", 30.5, 0.013, 10, 62, 41, 6}, {"In force", 29.8, 0.0112, 10, 48, 38, 6}, {"Candidate", 31.2, 0.0041, 10, 41, 40, 7}},
		Does:    webui.NewCommand("does", "maskfleet.scaler.replay", []byte(`{"policy":{"format":1,"policy":"target-wait","max":12}}`)),
	}
	replay.Instances, replay.Waiting = lookOfReplay(replay.From, replay.To)
	decisions := webui.DecisionsPage{Frame: atManager("Decisions", webui.NavScaling), Rows: page.Log, Next: "/scaling/decisions?before=x"}
	freeze := webui.PausePolicyPage{Frame: atManager("Pause scaling", webui.NavScaling), Size: 4, Does: webui.NewCommand("does", "maskfleet.scaler.pause", []byte(`{"for":"1h"}`))}
	return []picture{
		{"scaling", "scaling", page}, {"scaling-candidate", "scaling", candidate}, {"scaling-silent", "scaling", silent}, {"scaling-shrinking", "scaling", shrinking},
		{"scaling-replay", "replay", replay}, {"scaling-decisions", "decisions", decisions}, {"scaling-pause", "freeze", freeze},
	}
}

// lookOfReplay is a day with a hump at noon.
func lookOfReplay(from, to time.Time) (instances, waiting webui.Chart) {
	chart := webui.Chart{From: from, To: to}
	const steps = 144
	hump := func(n int, height, width float64) float64 {
		return math.Round(height * math.Exp(-math.Pow(float64(n-steps/2)/width, 2)))
	}
	lines := map[string][]float64{}
	names := []string{"Happened", "In force", "Candidate"}
	for n := range steps {
		chart.Times = append(chart.Times, from.Add(time.Duration(n)*to.Sub(from)/steps))
		for i, name := range names {
			lines[name] = append(lines[name], 1+hump(n, 4+float64(i), 20))
			lines["w "+name] = append(lines["w "+name], hump(n, 300/float64(1+i), 6))
		}
	}
	instances, waiting = chart, chart
	instances.ID, instances.Title = "replay-instances", "Instances"
	waiting.ID, waiting.Title = "replay-waiting", "Photos waiting"
	for _, name := range names {
		instances.Series = append(instances.Series, webui.Series{Name: name, Step: true, Values: lines[name]})
		waiting.Series = append(waiting.Series, webui.Series{Name: name, Values: lines["w "+name]})
	}
	return instances, waiting
}
