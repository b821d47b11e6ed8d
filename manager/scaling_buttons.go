package manager

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

// longReplay is a little more than the scaler takes at most.
const longReplay = 2*time.Minute + 5*time.Second

// putPolicyRequest puts a document in the place of the one it was made from.
type putPolicyRequest struct {
	Policy   policyDocument `json:"policy"`
	Revision *uint64        `json:"revision,omitempty"`
}

type restoreRequest struct {
	Revision uint64 `json:"revision"`
}

type putPolicyAnswer struct {
	Policy   policyDocument `json:"policy"`
	Was      policyDocument `json:"was"`
	Version  int            `json:"version"`
	Revision uint64         `json:"revision"`
	Notes    []string       `json:"notes"`
}

type replayRequest struct {
	Policy policyDocument   `json:"policy"`
	For    command.Duration `json:"for,omitzero"`
}

// played is what a policy would have come to, or what did happen.
type played struct {
	InstanceHours float64 `json:"instance_hours"`
	LateShare     float64 `json:"late_share"`
	Photos        int     `json:"photos"`
	LongestWait   float64 `json:"longest_wait_seconds"`
	Launches      int     `json:"launches"`
	Peak          int     `json:"peak_instances"`
	LateAfter     float64 `json:"late_after_seconds"`
	Course        struct {
		StepSeconds int   `json:"step_seconds"`
		Instances   []int `json:"instances"`
		Waiting     []int `json:"waiting"`
	} `json:"course"`
}

func (p played) column(name string) webui.ReplayColumn {
	return webui.ReplayColumn{
		Name: name, InstanceHours: p.InstanceHours, LateShare: p.LateShare, LateAfter: p.LateAfter,
		Longest: p.LongestWait, Launches: p.Launches, Peak: p.Peak,
	}
}

type replayAnswer struct {
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Candidate *played   `json:"candidate"`
	InForce   played    `json:"in_force"`
	Happened  played    `json:"happened"`
	Says      string    `json:"says"`
	Notes     []string  `json:"notes"`
}

func (s *Service) scalingButtons() []route {
	return []route{
		button[freezeRequest, sizeAnswer]{
			path: "/scaling/pause", subject: scalerArea + "pause", nav: webui.NavScaling, back: to("/scaling"),
			request: func(form url.Values) (freezeRequest, error) {
				term, err := termOf(form)
				return freezeRequest{Why: form.Get("why"), sizeTerm: term}, err
			},
			confirm: func(_ freezeRequest, a sizeAnswer) webui.ConfirmPage {
				page := confirmSize(a, a)
				page.Heading = "Pause scaling at " + webui.Count(a.Size, "instance", "instances") + "?"
				page.Consequence = "The fleet keeps the size that it has" + untilWords(a.Override) + ". Instances that fail are not replaced meanwhile."
				page.Button = "Pause scaling"
				return page
			},
			done: func(_ freezeRequest, a sizeAnswer) webui.Said {
				return webui.Said{Words: "Scaling is paused at " + webui.Count(a.Size, "instance", "instances") + untilWords(a.Override) + "."}
			},
			shows: func(_ freezeRequest, a sizeAnswer) func(*board) bool { return decided(a.Version) },
		}.route(s),
		button[struct{}, sizeAnswer]{
			path: "/scaling/resume", subject: scalerArea + "resume", nav: webui.NavScaling, back: to("/scaling"),
			request: func(url.Values) (struct{}, error) { return struct{}{}, nil },
			confirm: func(_ struct{}, a sizeAnswer) webui.ConfirmPage {
				page := confirmSize(a, a)
				page.Heading, page.Consequence, page.Button = "Let the policy decide again?", "Pauses and pins end. By what the scaler knows now this comes of it:", "Let the policy decide"
				page.Nothing = len(a.Ended) == 0
				return page
			},
			done: func(_ struct{}, a sizeAnswer) webui.Said {
				return webui.Said{Words: "The policy decides again; now it wants " + webui.Count(a.Size, "instance", "instances") + "."}
			},
			shows: func(_ struct{}, a sizeAnswer) func(*board) bool { return decided(a.Version) },
		}.route(s),
		button[putPolicyRequest, putPolicyAnswer]{
			path: "/scaling/policy", subject: scalerArea + "policy.put", nav: webui.NavScaling, back: candidateAddress,
			request: func(form url.Values) (putPolicyRequest, error) {
				p, err := readPolicyForm(form)
				q := putPolicyRequest{Policy: p}
				if revision, bad := strconv.ParseUint(form.Get("revision"), 10, 64); bad == nil {
					q.Revision = &revision
				}
				return q, err
			},
			confirm: func(_ putPolicyRequest, a putPolicyAnswer) webui.ConfirmPage {
				page := confirmPolicy(a)
				page.Heading = "Put this policy in force?"
				return page
			},
			done:  func(_ putPolicyRequest, a putPolicyAnswer) webui.Said { return inForce(a) },
			shows: func(_ putPolicyRequest, a putPolicyAnswer) func(*board) bool { return decided(a.Version) },
		}.route(s),
		button[restoreRequest, putPolicyAnswer]{
			path: "/scaling/restore", subject: scalerArea + "policy.restore", nav: webui.NavScaling, back: to("/scaling"),
			request: func(form url.Values) (restoreRequest, error) {
				revision, err := strconv.ParseUint(form.Get("revision"), 10, 64)
				if err != nil {
					return restoreRequest{}, command.InvalidField("revision", "is none").WithCause(err)
				}
				return restoreRequest{revision}, nil
			},
			confirm: func(_ restoreRequest, a putPolicyAnswer) webui.ConfirmPage {
				page := confirmPolicy(a)
				page.Heading = "Go back to this policy?"
				return page
			},
			done:  func(_ restoreRequest, a putPolicyAnswer) webui.Said { return inForce(a) },
			shows: func(_ restoreRequest, a putPolicyAnswer) func(*board) bool { return decided(a.Version) },
		}.route(s),
		{fiber.MethodPost, "/scaling/replay", account.RoleOperator, s.replay},
	}
}

func confirmPolicy(a putPolicyAnswer) webui.ConfirmPage {
	page := webui.ConfirmPage{
		Consequence: "It becomes version " + strconv.Itoa(a.Version) + " and is followed from the next decision on. Every version before can be gone back to.",
		Facts:       changesOf(a.Was, a.Policy), Refused: sentences(a.Notes), Button: "Put it in force",
	}
	// Notes are about a document that is refused: putting the same again clears it away.
	if len(page.Facts) == 0 && len(a.Notes) == 0 {
		page.Nothing, page.Consequence = true, "It says the same as the policy in force."
	}
	return page
}

func inForce(a putPolicyAnswer) webui.Said {
	words := "Version " + strconv.Itoa(a.Version) + " of the policy is in force."
	return webui.Said{Words: strings.Join(append([]string{words}, sentences(a.Notes)...), " ")}
}

// replay answers POST /scaling/replay: what the last day would have come to. It changes
// nothing, and keeps a core of the scaler's machine busy for seconds.
func (s *Service) replay(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	b := button[replayRequest, replayAnswer]{subject: scalerArea + "replay", back: candidateAddress}
	candidate, err := readPolicyForm(form)
	if err != nil {
		return b.refuse(c, form, err)
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), longReplay)
	defer cancel()
	q := replayRequest{Policy: candidate}
	answer, err := command.Ask[replayAnswer](ctx, s.queue, b.subject, command.Asker{Name: login.User(c).Username, Via: command.ViaPage}, q)
	if err != nil {
		return b.refuse(c, form, err)
	}
	text, err := json.Marshal(q)
	if err != nil {
		return err
	}
	page := webui.ReplayPage{
		Frame: frame(c, "The last day, replayed", webui.NavScaling), From: answer.From, To: answer.To, Photos: answer.Happened.Photos, Says: answer.Says, Notes: answer.Notes,
		Columns: []webui.ReplayColumn{answer.Happened.column("Happened"), answer.InForce.column("In force")},
		Back:    candidateAddress(form), Does: webui.NewCommand("does", b.subject, text),
	}
	if answer.Candidate != nil {
		page.Columns = append(page.Columns, answer.Candidate.column("Candidate"))
	}
	page.Instances, page.Waiting = replayCharts(answer)
	for name, values := range form {
		for _, value := range values {
			page.Fields = append(page.Fields, webui.Field{Name: name, Value: value})
		}
	}
	c.Status(http.StatusOK)
	return s.kit.Render(c, "replay", page)
}
