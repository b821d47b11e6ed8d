package manager

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/account"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui"
)

const (
	logShown     = 12 // decisions on the page about scaling
	logPage      = 50
	auditLooked  = 1000 // records, for who put a version
	policyAnswer = 2 * time.Second
)

func (s *Service) scalingPages() []route {
	return slices.Concat([]route{
		look("/scaling", s.showScaling),
		look("/scaling/decisions", s.showDecisions),
		prepare("/scaling/pause", account.RoleOperator, s.showFreeze),
	}, s.scalingButtons())
}

// showScaling answers GET /scaling. With a candidate in its address the form has its
// values, so that what somebody tries can be shown to somebody else.
func (s *Service) showScaling(c *fiber.Ctx) error {
	f := frame(c, "Scaling", webui.NavScaling)
	page := s.scalingPage(f.Operator)
	page.Frame = f
	ctx, cancel := within(c)
	defer cancel()
	values := queryOf(c)
	var all errgroup.Group
	all.Go(func() error {
		document, revision, err := s.policy(ctx)
		if err != nil {
			s.tel.Log.DebugContext(ctx, "policy not read", "err", err)
			return nil
		}
		page.Form, page.FormRead = policyForm(document, revision, page.Scaler.Size), true
		return nil
	})
	all.Go(func() error {
		page.Versions = s.versions(ctx)
		return nil
	})
	all.Go(func() error {
		log, err := s.store.ListDecisions(ctx, jobstore.DecisionFilter{Limit: logShown})
		page.Log, page.LogRead = decisionRows(log), err == nil
		return nil
	})
	_ = all.Wait() // each says on the page what it could not read
	if values.Get("policy") != "" && page.FormRead {
		page.Form = page.Form.With(values)
	}
	return s.kit.Render(c, "scaling", page)
}

// scalingPage is what goes on changing of it.
func (s *Service) scalingPage(operator bool) webui.ScalingPage {
	page := webui.ScalingPage{At: time.Now(), Troubles: s.board.troubles(), Scaler: s.board.scalerState()}
	page.Operator = operator
	status, _ := s.board.fleet.scaler.last()
	page.Refusal = status.PolicyRefusal
	for _, r := range status.Readings {
		row := webui.ReadingRow{Name: r.Reading, Trouble: r.Trouble, Known: r.AgeSeconds != nil}
		if row.Known {
			row.Age = time.Duration(*r.AgeSeconds * float64(time.Second))
		}
		page.Readings = append(page.Readings, row)
	}
	if d := status.Decision; d != nil {
		page.Decision = decisionView(*d)
	}
	return page
}

func decisionView(d scalerDecision) *webui.DecisionView {
	view := &webui.DecisionView{
		DecisionRow: webui.DecisionRow{
			Since: d.At, At: d.At, Ticks: 1, Policy: d.Policy, Size: d.Size, Target: d.Target, Blind: len(d.Blind) > 0, Overridden: d.Override != nil, Reason: d.Reason,
		},
		Version: d.Version, Blindly: d.Blind, Within: d.Clamped,
	}
	for _, w := range d.Wants {
		decided := w.Name == d.Decided
		view.Wants = append(view.Wants, webui.WantRow{Name: w.Name, Instances: w.Instances, Why: w.Why, Decided: decided})
		if decided && view.Why == "" {
			view.Why = w.Why
		}
	}
	return view
}

func decisionRows(list []jobstore.ScalingDecision) []webui.DecisionRow {
	rows := make([]webui.DecisionRow, 0, len(list))
	for _, d := range list {
		rows = append(rows, *decisionRow(d))
	}
	return rows
}

// policy is the document in force, and the revision of the one that was put last.
func (s *Service) policy(ctx context.Context) (policyDocument, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, policyAnswer)
	defer cancel()
	answer, err := command.Ask[struct {
		InForce  policyDocument `json:"in_force"`
		Revision uint64         `json:"revision"`
	}](ctx, s.queue, scalerArea+"policy", command.Asker{}, struct{}{})
	return answer.InForce, answer.Revision, err
}

// versions are the documents that were put, with who put them, as far as the audit log
// goes back: the broker does not know.
func (s *Service) versions(ctx context.Context) []webui.VersionRow {
	ctx, cancel := context.WithTimeout(ctx, policyAnswer)
	defer cancel()
	answer, err := command.Ask[struct {
		Versions []struct {
			Revision uint64    `json:"revision"`
			PutAt    time.Time `json:"put_at"`
			Version  int       `json:"version"`
			Policy   string    `json:"policy"`
			Refusal  string    `json:"refusal"`
		} `json:"versions"`
	}](ctx, s.queue, scalerArea+"policy.versions", command.Asker{}, struct{}{})
	if err != nil {
		s.tel.Log.DebugContext(ctx, "versions of the policy not read", "err", err)
		return nil
	}
	who := s.putters(ctx)
	var rows []webui.VersionRow
	for i, v := range answer.Versions {
		row := webui.VersionRow{Revision: v.Revision, PutAt: v.PutAt, Version: v.Version, Kind: v.Policy, Refusal: v.Refusal, Now: i == 0}
		if by, known := who[v.Revision]; known {
			row.Who, row.How = by.Actor, strings.TrimPrefix(by.Action, "scaler.")
		}
		rows = append(rows, row)
	}
	return rows
}

// putters are the records of the audit log by the revision that came of them.
func (s *Service) putters(ctx context.Context) map[uint64]jobstore.Audit {
	records, err := s.store.ListAudit(ctx, auditLooked)
	if err != nil {
		s.tel.Log.DebugContext(ctx, "audit log not read", "err", err)
		return nil
	}
	by := map[uint64]jobstore.Audit{}
	for _, r := range records {
		if !strings.HasPrefix(r.Action, "scaler.") {
			continue
		}
		if revision := revisionIn(r.Detail["answer"]); revision > 0 {
			by[revision] = r
		}
	}
	return by
}

// revisionIn reads the revision out of an answer that may have been cut.
func revisionIn(answer string) uint64 {
	in := json.NewDecoder(strings.NewReader(answer))
	depth := 0
	for {
		token, err := in.Token()
		if err != nil {
			return 0
		}
		if d, is := token.(json.Delim); is {
			depth += map[json.Delim]int{'{': 1, '[': 1, '}': -1, ']': -1}[d]
		}
		if depth != 1 || token != "revision" {
			continue
		}
		var revision uint64
		if err := in.Decode(&revision); err == nil {
			return revision
		}
	}
}

// showDecisions answers GET /scaling/decisions.
func (s *Service) showDecisions(c *fiber.Ctx) error {
	ctx, cancel := within(c)
	defer cancel()
	values := queryOf(c)
	page := webui.DecisionsPage{Frame: frame(c, "Decisions", webui.NavScaling), Changes: values.Get("changes") != ""}
	filter := jobstore.DecisionFilter{Changes: page.Changes, Limit: logPage + 1}
	if before, err := uuid.Parse(values.Get("before")); err == nil {
		filter.Before = before
	}
	list, err := s.store.ListDecisions(ctx, filter)
	if err != nil {
		return err
	}
	if len(list) > logPage {
		list = list[:logPage]
		page.Next = webui.DecisionsURL(page.Changes, list[logPage-1].ID.String())
	}
	page.Rows = decisionRows(list)
	return s.kit.Render(c, "decisions", page)
}

// showFreeze answers GET /scaling/pause.
func (s *Service) showFreeze(c *fiber.Ctx) error {
	state := s.board.scalerState()
	return s.kit.Render(c, "freeze", webui.PausePolicyPage{
		Frame: frame(c, "Pause scaling", webui.NavScaling), Size: state.Size,
		Does: webui.NewCommand("does", scalerArea+"pause", []byte(`{"for":"1h","why":"a look at the balancer"}`)),
	})
}

// candidateAddress leads back to the form with what was typed.
func candidateAddress(form url.Values) string {
	if form.Get("confirmed") != "" {
		return "/scaling"
	}
	kept := url.Values{}
	for _, name := range append([]string{"policy", "schedules"}, policyNames()...) {
		if value := form.Get(name); value != "" {
			kept.Set(name, value)
		}
	}
	return "/scaling?" + kept.Encode() + "#policy"
}

func policyNames() []string {
	var names []string
	for _, f := range webui.PolicyFields() {
		names = append(names, f.Name)
	}
	return names
}

func kindWords(kind string) string {
	return cmp.Or(map[string]string{"target-wait": "target wait", "cpu-ratio": "CPU ratio", "manual": "manual"}[kind], kind)
}
