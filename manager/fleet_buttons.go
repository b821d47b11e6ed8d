package manager

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/webui"
)

// What must be typed before everything ends.
const (
	typedTerminate = "terminate all"
	typedStop      = "stop the manager"
)

// sizeTerm says how long a person's word stands, in the scaler's words.
type sizeTerm struct {
	For           command.Duration `json:"for,omitzero"`
	UntilReleased bool             `json:"until_released,omitzero"`
}

type resizeRequest struct {
	Size int    `json:"size"`
	Why  string `json:"why,omitempty"`
	sizeTerm
}

type stepRequest struct {
	By  int    `json:"by"`
	Why string `json:"why,omitempty"`
	sizeTerm
}

type whyRequest struct {
	Why string `json:"why,omitempty"`
}

type freezeRequest struct {
	Why string `json:"why,omitempty"`
	sizeTerm
}

type leaveRequest struct {
	Instance string `json:"instance"`
	Why      string `json:"why,omitempty"`
}

// sizeAnswer is what becomes of the fleet.
type sizeAnswer struct {
	Was      int              `json:"was"`
	Size     int              `json:"size"`
	Launch   int              `json:"launch"`
	Recall   []string         `json:"recall"`
	Retire   []string         `json:"retire"`
	Young    int              `json:"young"` // retired when they are old enough
	Override *scalerOverride  `json:"override"`
	Ended    []scalerOverride `json:"ended"`
	Version  int              `json:"version"`
	Notes    []string         `json:"notes"`
}

// leaveAnswer is what becomes of one instance, and of the fleet without it.
type leaveAnswer struct {
	Instance string `json:"instance"`
	Was      string `json:"was"`
	InHand   int    `json:"in_hand"`
	Launch   int    `json:"launch"`
	Already  bool   `json:"already"`
	Notes    string `json:"notes"`
}

func (s *Service) fleetButtons() []route {
	return []route{
		button[stepRequest, sizeAnswer]{
			path: "/fleet/grow", subject: scalerArea + "grow", nav: webui.NavFleet, request: stepOf, back: to("/fleet"),
			confirm: confirmStep, done: func(_ stepRequest, a sizeAnswer) webui.Said { return sized(a) },
			shows: func(_ stepRequest, a sizeAnswer) func(*board) bool { return decided(a.Version) },
		}.route(s),
		button[stepRequest, sizeAnswer]{
			path: "/fleet/shrink", subject: scalerArea + "shrink", nav: webui.NavFleet, request: stepOf, back: to("/fleet"),
			confirm: s.confirmShrink, done: func(_ stepRequest, a sizeAnswer) webui.Said { return sized(a) },
			shows: func(_ stepRequest, a sizeAnswer) func(*board) bool { return decided(a.Version) },
		}.route(s),
		button[resizeRequest, sizeAnswer]{
			path: "/fleet/resize", subject: scalerArea + "resize", nav: webui.NavFleet, request: resizeOf, back: to("/fleet"),
			confirm: confirmSize[resizeRequest], done: func(_ resizeRequest, a sizeAnswer) webui.Said { return sized(a) },
			shows: func(_ resizeRequest, a sizeAnswer) func(*board) bool { return decided(a.Version) },
		}.route(s),
		button[whyRequest, sizeAnswer]{
			path: "/fleet/terminate-all", subject: scalerArea + "terminate-all", nav: webui.NavFleet, back: to("/fleet"),
			request: func(form url.Values) (whyRequest, error) { return whyRequest{form.Get("why")}, nil },
			words:   typing[whyRequest](typedTerminate),
			confirm: func(q whyRequest, a sizeAnswer) webui.ConfirmPage {
				page := confirmSize(q, a)
				page.Heading = "Terminate " + allOf(a.Was) + "?"
				page.Consequence = "Each finishes what it has in hand, and none takes its place until somebody resumes. With the last the front door closes: nothing is accepted, and what waits goes on waiting."
				page.Danger, page.Button, page.Nothing, page.Why = true, "Terminate all", false, true
				return page
			},
			done:  func(_ whyRequest, a sizeAnswer) webui.Said { return sized(a) },
			shows: func(_ whyRequest, a sizeAnswer) func(*board) bool { return decided(a.Version) },
		}.route(s),
		button[leaveRequest, leaveAnswer]{
			path: "/fleet/drain", subject: scalerArea + "drain", nav: webui.NavFleet, request: leaveOf, back: backToInstance,
			confirm: func(q leaveRequest, a leaveAnswer) webui.ConfirmPage {
				page := confirmLeave(a)
				page.Heading, page.Button, page.Why = "Drain "+q.Instance+" and end it?", "Drain and end it", true
				page.Consequence = "It takes no more photos, leaves the balancer, finishes what it has in hand and goes for good. To empty it and have it back, drain and keep it."
				page.Nothing = a.Already
				return page
			},
			done: func(q leaveRequest, a leaveAnswer) webui.Said {
				return webui.Said{Words: q.Instance + " finishes " + webui.Count(a.InHand, "photo", "photos") + " and leaves." + inItsPlace(a)}
			},
			shows: func(q leaveRequest, _ leaveAnswer) func(*board) bool { return leaves(q.Instance) },
		}.route(s),
		button[leaveRequest, leaveAnswer]{
			path: "/fleet/destroy", subject: scalerArea + "destroy", nav: webui.NavFleet, request: leaveOf, back: backToInstance,
			confirm: func(q leaveRequest, a leaveAnswer) webui.ConfirmPage {
				page := confirmLeave(a)
				page.Heading, page.Button, page.Danger, page.Why = "Destroy "+q.Instance+"?", "Destroy it", true, true
				page.Consequence = "It ends at once. What it has in hand is not lost: others take it when its leases are over, which may be a minute or two. To have it finish first, drain and end it."
				return page
			},
			done: func(q leaveRequest, a leaveAnswer) webui.Said {
				return webui.Said{Words: strings.TrimSpace(q.Instance + " is being ended." + inItsPlace(a) + " " + webui.Sentence(a.Notes))}
			},
			shows: func(q leaveRequest, _ leaveAnswer) func(*board) bool { return leaves(q.Instance) },
		}.route(s),
		s.stopManager().route(s),
	}
}

// stepOf reads the form of one more or one fewer.
func stepOf(form url.Values) (stepRequest, error) {
	term, err := termOf(form)
	return stepRequest{By: 1, Why: form.Get("why"), sizeTerm: term}, err
}

func resizeOf(form url.Values) (resizeRequest, error) {
	size, err := strconv.Atoi(strings.TrimSpace(form.Get("size")))
	if err != nil || size < 0 {
		return resizeRequest{}, command.InvalidField("size", "is no number of instances").WithCause(err)
	}
	term, err := termOf(form)
	return resizeRequest{Size: size, Why: form.Get("why"), sizeTerm: term}, err
}

// termOf reads for how long; nothing said is what the scaler takes then, an hour.
func termOf(form url.Values) (sizeTerm, error) {
	switch said := strings.TrimSpace(form.Get("for")); said {
	case "":
		return sizeTerm{}, nil
	case "released":
		return sizeTerm{UntilReleased: true}, nil
	default:
		t, err := pauseTimeOf(form)
		return sizeTerm{For: t.For}, err
	}
}

func leaveOf(form url.Values) (leaveRequest, error) {
	q := leaveRequest{Instance: strings.TrimSpace(form.Get("instance")), Why: form.Get("why")}
	if q.Instance == "" {
		return q, command.InvalidField("instance", "is missing")
	}
	return q, nil
}

func backToInstance(form url.Values) string { return "/fleet/" + url.PathEscape(form.Get("instance")) }

// allOf are all instances there are, as people say it.
func allOf(n int) string {
	switch n {
	case 0:
		return "the fleet, which has no instance,"
	case 1:
		return "the only instance"
	default:
		return "all " + webui.Number(n) + " instances"
	}
}

// confirmStep is confirmSize of one more or one fewer, which asks for how long and why.
func confirmStep(_ stepRequest, a sizeAnswer) webui.ConfirmPage {
	page := confirmSize(a, a)
	page.Consequence = "The policy is overridden for as long as you say here. Then it decides again."
	page.Term, page.Why = "1h", true
	return page
}

// confirmShrink is confirmStep of one fewer, which stops at one.
func (s *Service) confirmShrink(q stepRequest, a sizeAnswer) webui.ConfirmPage {
	page := confirmStep(q, a)
	if from, known := s.board.steppedFrom(a); known && from == 1 && a.Size == 1 {
		page.Heading = "The fleet keeps its " + webui.Count(a.Size, "instance", "instances")
		page.Consequence, page.Nothing = "One is the fewest that a step leaves. To close the site, terminate all; to keep the size whatever the policy says, set it.", true
	}
	return page
}

// steppedFrom is the size that the scaler counted a step from, as it does: a pin in force,
// which the step ends, or what it decided last.
func (b *board) steppedFrom(a sizeAnswer) (size int, known bool) {
	for _, o := range a.Ended {
		if o.Kind == "pin" {
			return o.Size, true
		}
	}
	if d := b.wanted(); d != nil {
		return d.Target, true
	}
	return 0, false
}

// wanted is what the scaler decided last; nil if that is not known.
func (b *board) wanted() *scalerDecision {
	status, _ := b.fleet.scaler.last()
	return status.Decision
}

// confirmSize says what becomes of the fleet.
func confirmSize[Q any](_ Q, a sizeAnswer) webui.ConfirmPage {
	page := webui.ConfirmPage{
		Heading:     fmt.Sprintf("Change the fleet from %d to %s?", a.Was, webui.Count(a.Size, "instance", "instances")),
		Consequence: "The policy is overridden" + untilWords(a.Override) + ". Then it decides again.",
		Button:      "Set it to " + webui.Number(a.Size), Refused: sentences(a.Notes),
		Facts: []webui.Fact{{Name: "Instances there are, ready or starting", Value: webui.Number(a.Was)}, {Name: "Instances there will be", Value: webui.Number(a.Size)}},
	}
	if a.Was == a.Size {
		page.Heading = "Keep the fleet at " + webui.Count(a.Size, "instance", "instances") + "?"
	}
	page.Facts = append(page.Facts, sizeFacts(a)...)
	return page
}

func sizeFacts(a sizeAnswer) []webui.Fact {
	var facts []webui.Fact
	if a.Launch > 0 {
		facts = append(facts, webui.Fact{Name: "To be launched", Value: webui.Number(a.Launch)})
	}
	if n := len(a.Recall); n > 0 {
		facts = append(facts, webui.Fact{Name: "Were leaving, and stay", Value: some(a.Recall)})
	}
	if n := len(a.Retire); n > 0 {
		facts = append(facts, webui.Fact{Name: "Finish what they have in hand, and leave", Value: some(a.Retire)})
	}
	if a.Young > 0 {
		facts = append(facts, webui.Fact{Name: "Leave later, when they are old enough", Value: webui.Number(a.Young)})
	}
	for _, o := range a.Ended {
		facts = append(facts, webui.Fact{Name: "Ends with it", Value: overrideRow(&o).Words() + ", by " + o.Who})
	}
	return facts
}

// sentences are the scaler's notes as a page says them.
func sentences(notes []string) []string {
	var all []string
	for _, note := range notes {
		all = append(all, webui.Sentence(note))
	}
	return all
}

// some names the first of many.
func some(ids []string) string {
	const most = 5
	if len(ids) <= most {
		return strings.Join(ids, ", ")
	}
	return strings.Join(ids[:most], ", ") + " and " + webui.Number(len(ids)-most) + " more"
}

func untilWords(o *scalerOverride) string {
	if o == nil {
		return ""
	}
	if o.Until.IsZero() {
		return " until somebody releases it"
	}
	return " until " + utc(o.Until)
}

func sized(a sizeAnswer) webui.Said {
	words := "The fleet is to have " + webui.Count(a.Size, "instance", "instances") + untilWords(a.Override) + "."
	return webui.Said{Words: strings.Join(append([]string{words}, sentences(a.Notes)...), " ")}
}

func confirmLeave(a leaveAnswer) webui.ConfirmPage {
	page := webui.ConfirmPage{Facts: []webui.Fact{
		{Name: "It is", Value: a.Was}, {Name: "Photos in its hands", Value: webui.Number(a.InHand)}, {Name: "Launched in its place", Value: map[bool]string{true: "one", false: "none"}[a.Launch > 0]},
	}}
	if a.Already {
		page.Refused = []string{"It is leaving already."}
	}
	if a.Notes != "" {
		page.Refused = append(page.Refused, webui.Sentence(a.Notes))
	}
	return page
}

func inItsPlace(a leaveAnswer) string {
	if a.Launch == 0 {
		return " None takes its place."
	}
	return " Another takes its place."
}

// stopManager is the button of terminate-all with another end: then the manager exits.
func (s *Service) stopManager() button[whyRequest, sizeAnswer] {
	return button[whyRequest, sizeAnswer]{
		path: "/fleet/stop-manager", subject: scalerArea + "terminate-all", least: account.RoleAdministrator, nav: webui.NavFleet, back: to("/fleet"),
		request: func(url.Values) (whyRequest, error) { return whyRequest{"the manager is stopped"}, nil },
		words:   typing[whyRequest](typedStop),
		confirm: func(q whyRequest, a sizeAnswer) webui.ConfirmPage {
			page := confirmSize(q, a)
			page.Heading = "Terminate " + allOf(a.Was) + " and stop the manager?"
			page.Consequence = "Each instance finishes what it has in hand, none takes its place, and this manager ends. Its pages are away until somebody starts it again; the scaler and the command line go on."
			page.Danger, page.Button, page.Nothing = true, "Terminate all and stop", false
			return page
		},
		ends: func(c *fiber.Ctx, by command.Asker, a sizeAnswer) error {
			s.tel.Log.InfoContext(httpserver.Context(c), "stopped from its page", "actor", by.Name)
			c.Status(http.StatusOK)
			err := s.kit.Render(c, "stopped", webui.StoppedPage{Frame: frame(c, "The manager has stopped", ""), Retire: len(a.Retire)})
			s.leave() // what is being answered still is
			return err
		},
	}
}
