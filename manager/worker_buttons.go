package manager

import (
	"cmp"
	"net/url"
	"strings"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/webui"
)

const workerArea = "maskfleet.worker."

// workerDrain asks one worker to stand aside, its instance with it.
type workerDrain struct {
	Worker string `json:"-"` // in the subject
	Why    string `json:"why,omitempty"`
}

type workerResume struct {
	Worker string `json:"-"` // in the subject
}

// workerButtons empty a worker that is kept, and have it work again. They need no scaler.
func (s *Service) workerButtons() []route {
	return []route{
		button[workerDrain, workerStatus]{
			path: "/workers/drain", subjectOf: func(q workerDrain) string { return workerArea + q.Worker + ".drain" }, nav: webui.NavFleet, back: backToWorker,
			request: func(form url.Values) (workerDrain, error) {
				worker, err := workerOf(form)
				return workerDrain{Worker: worker, Why: strings.TrimSpace(form.Get("why"))}, err
			},
			confirm: func(q workerDrain, a workerStatus) webui.ConfirmPage {
				page := workerPage(a)
				page.Heading, page.Button, page.Why = "Drain "+q.Worker+" and keep it?", "Drain it", true
				page.Consequence = "It takes no more photos, its front door leaves the balancer, and it finishes what it has in hand. Then it waits, for as long as its process lives, until somebody resumes it. The fleet counts it as missing: the policy may launch another, and retire one too many after the resume; to keep the size, pause scaling first."
				if status, read := s.board.fleet.scaler.last(); read.Known() && status.Fleet.Ready <= 1 && a.Drain == "" {
					page.Refused = append(page.Refused, "No other instance is in service: the site is closed until another has booted, or this one is resumed.")
				}
				if a.Drain != "" {
					page.Nothing, page.Refused = true, append(page.Refused, "It drains already, "+drainWords(a.Drain, a.DrainBy, a.DrainWhy)+".")
				}
				return page
			},
			done: func(q workerDrain, a workerStatus) webui.Said {
				return webui.Said{Words: q.Worker + " finishes " + webui.Count(a.Busy, "photo", "photos") + ", takes no more and waits to be resumed."}
			},
			shows: func(q workerDrain, _ workerStatus) func(*board) bool { return drains(q.Worker, true) },
		}.route(s),
		button[workerResume, workerStatus]{
			path: "/workers/resume", subjectOf: func(q workerResume) string { return workerArea + q.Worker + ".resume" }, nav: webui.NavFleet, back: backToWorker,
			request: func(form url.Values) (workerResume, error) {
				worker, err := workerOf(form)
				return workerResume{worker}, err
			},
			confirm: func(q workerResume, a workerStatus) webui.ConfirmPage {
				page := workerPage(a)
				page.Heading, page.Button = "Resume "+q.Worker+"?", "Resume it"
				page.Consequence = "It takes photos again, and its front door comes back into the balancer."
				if a.Drain == "" {
					page.Nothing, page.Refused = true, []string{"It takes photos already."}
				} else {
					page.Facts = append(page.Facts, webui.Fact{Name: "It drains", Value: drainWords(a.Drain, a.DrainBy, a.DrainWhy)})
				}
				if a.SpotNotice != nil {
					page.Refused = append(page.Refused, "AWS takes the machine back all the same: what it then has in hand, others take when its leases are over.")
				}
				return page
			},
			done: func(q workerResume, _ workerStatus) webui.Said {
				return webui.Said{Words: q.Worker + " takes photos again. Its front door comes back as soon as the balancer finds it healthy."}
			},
			shows: func(q workerResume, _ workerStatus) func(*board) bool { return drains(q.Worker, false) },
		}.route(s),
	}
}

func workerOf(form url.Values) (string, error) {
	worker := strings.TrimSpace(form.Get("worker"))
	switch {
	case worker == "":
		return "", command.InvalidField("worker", "is missing")
	case !namesAWorker(worker):
		return "", command.InvalidField("worker", "is no name of a worker")
	}
	return worker, nil
}

// namesAWorker says whether a name may become a part of a subject.
func namesAWorker(name string) bool { return name != "" && !strings.ContainsAny(name, ".*> \t\r\n") }

func backToWorker(form url.Values) string { return "/workers/" + url.PathEscape(form.Get("worker")) }

// workerPage says what a worker has in hand before it is told anything.
func workerPage(a workerStatus) webui.ConfirmPage {
	return webui.ConfirmPage{Facts: []webui.Fact{
		{Name: "It is", Value: a.State}, {Name: "Photos in its hands", Value: webui.Number(a.Busy)}, {Name: "Slots", Value: webui.Number(a.Slots)},
	}}
}

// drainWords says why a worker drains.
func drainWords(why jobqueue.Drain, by, reason string) string {
	switch why {
	case jobqueue.DrainCommand:
		return byWhom(cmp.Or(by, "a command"), reason)
	case jobqueue.DrainSpot:
		return "because AWS wants the machine back"
	case jobqueue.DrainStopping:
		return "because its process ends"
	default:
		return string(why)
	}
}
