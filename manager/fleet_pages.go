package manager

import (
	"cmp"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/webui"
)

const (
	fleetPageSize = 100 // rows: each has three small charts, once a second
	outside       = "outside"
	ended         = "ended" // EC2 has it no more, and it was the fleet's
)

func (s *Service) fleetPages() []route {
	return slices.Concat([]route{
		look("/fleet", s.showFleet),
		prepare("/fleet/size", account.RoleOperator, s.showSize),
		look("/fleet/:instance", s.showInstance),
		look("/fleet/:instance/history", s.showHistory),
		look("/workers/:worker", s.showWorker),
		prepare("/workers/:worker/log", account.RoleOperator, s.showLog),
	}, s.fleetButtons(), s.workerButtons())
}

// showFleet answers GET /fleet.
func (s *Service) showFleet(c *fiber.Ctx) error {
	f := frame(c, "Fleet", webui.NavFleet)
	page := s.fleetPage(queryOf(c), f.Operator)
	page.Frame = f
	return s.kit.Render(c, "fleet", page)
}

// queryOf is the address's query, cloned: the framework uses its memory again.
func queryOf(c *fiber.Ctx) url.Values {
	values, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return url.Values{} // what cannot be read asks for nothing in particular
	}
	return values
}

func fleetQuery(values url.Values) webui.FleetQuery {
	q := webui.FleetQuery{Role: values.Get("role"), After: values.Get("after"), Sort: values.Get("sort")}
	q.Skip, _ = strconv.Atoi(values.Get("skip"))
	q.Skip = max(0, q.Skip)
	if _, known := sorting()[strings.TrimPrefix(q.Sort, "-")]; !known {
		q.Sort, q.Skip = "", 0
	}
	if !slices.Contains(fleetRoles(), q.Role) {
		q.Role = ""
	}
	return q
}

// oldList is how old EC2's list may be to be shown without a word: the scaler asks every
// few seconds.
const oldList = 30 * time.Second

// listedAt is a reading of the scaler that is no younger than the list it tells of.
func listedAt(read webui.Reading, listed, now time.Time) webui.Reading {
	if read.Known() && !listed.IsZero() && now.Sub(listed) > oldList {
		return webui.Reading{At: listed, Stale: true}
	}
	return read
}

// fleetPage is the fleet as the board knows it.
func (s *Service) fleetPage(values url.Values, operator bool) webui.FleetPage {
	b := s.board
	page := webui.FleetPage{At: time.Now(), Troubles: b.troubles(), Entry: s.cfg.EntryURL, Console: s.cfg.Consoles.EC2, Query: fleetQuery(values)}
	page.Operator = operator
	page.Scaler = b.scalerState()
	status, _ := b.fleet.scaler.last()
	page.Ready, page.Starting, page.Draining = status.Fleet.Ready, status.Fleet.Starting, status.Fleet.Draining
	workers, _ := b.workers.last()
	for _, w := range workers {
		page.Slots += w.Slots
		page.Busy += w.Busy
	}
	var lately trends
	lately, page.ChartRead = b.fleet.history.last()
	changes, _ := b.fleet.changes.last()
	page.Instances, page.Photos = fleetCharts(lately.fleet, changes, page.At)

	list, read := b.fleet.instances.last()
	page.Fleet = listedAt(read, list.at, page.At)
	rows := fleetRows(list.instances, workers, lately)
	counts := map[string]int{}
	for _, r := range rows {
		counts[r.Role]++
		counts[""]++
	}
	for _, role := range append([]string{""}, fleetRoles()...) {
		if role == "" || counts[role] > 0 || role == page.Query.Role {
			page.Tabs = append(page.Tabs, webui.FleetTab{Role: role, Word: tabWord(role), Count: counts[role], URL: webui.FleetQuery{Role: role, Sort: page.Query.Sort}.URL()})
		}
	}
	page.PhotoTime = usualPhotoTime(rows)
	page.Slowest = slowest(rows)
	page.Rows, page.Next = fleetPageOf(rows, lately, page.Query)
	return page
}

func tabWord(role string) string {
	if role == "" {
		return "All"
	}
	return strings.ToUpper(role[:1]) + role[1:]
}

// scalerState is who scales, and how that goes.
func (b *board) scalerState() webui.ScalerState {
	status, read := b.fleet.scaler.last()
	since, telling := b.fleet.scaler.trouble()
	state := webui.ScalerState{Read: read, Silent: telling && !since.IsZero(), Who: status.Scaler, Trouble: status.Trouble}
	state.Size = status.Fleet.Ready + status.Fleet.Starting
	if d := status.Decision; d != nil {
		state.Size, state.Target, state.Reason = d.Size, d.Target, d.Reason
		state.Override = overrideRow(d.Override)
		state.Young, state.YoungUntil = status.Young, status.YoungUntil
	}
	return state
}

func overrideRow(o *scalerOverride) *webui.OverrideRow {
	if o == nil {
		return nil
	}
	return &webui.OverrideRow{Kind: o.Kind, Size: o.Size, Min: o.Min, Max: o.Max, Who: o.Who, Why: givenReason(o.Why), Until: o.Until}
}

// givenReason is a reason that somebody gave: the scaler has words for none.
func givenReason(why string) string {
	if why == command.NoReason {
		return ""
	}
	return why
}

// byWhom says who did something and, if that is known, why.
func byWhom(who, why string) string {
	if why = givenReason(why); why != "" {
		return "by " + who + ": " + why
	}
	return "by " + who
}

// fleetRows are the instances by their ids, and with them workers that are alive on
// machines that the scaler does not name.
func fleetRows(instances []scalerInstance, workers []jobqueue.Worker, lately trends) []webui.InstanceRow {
	rows := make([]webui.InstanceRow, 0, len(instances))
	at := make(map[string]int, len(instances))
	for _, i := range instances {
		at[i.ID] = len(rows)
		rows = append(rows, instanceRow(i))
	}
	for _, w := range workers {
		id := cmp.Or(w.Instance, w.ID)
		n, known := at[id]
		if !known {
			n = len(rows)
			at[id] = n
			rows = append(rows, webui.InstanceRow{ID: id, Zone: w.Zone, Role: outside, LaunchedAt: w.StartedAt})
		}
		r := &rows[n]
		r.Slots += w.Slots
		r.Busy += w.Busy
		if w.Drain.OfInstance() && r.Leaving == "" {
			r.Leaving = drainWords(w.Drain, w.DrainBy, w.DrainWhy)
		}
		r.Model = strings.TrimSpace(w.Model.Name + " " + w.Model.Version)
	}
	for n := range rows {
		addTrend(&rows[n], lately.machines[rows[n].ID])
	}
	slices.SortFunc(rows, func(a, b webui.InstanceRow) int { return cmp.Compare(a.ID, b.ID) }) // a row keeps its place
	return rows
}

func instanceRow(i scalerInstance) webui.InstanceRow {
	row := webui.InstanceRow{
		ID: i.ID, Type: i.Type, Zone: i.Zone, Role: i.Role, State: i.State, Health: i.Health,
		Target: webui.TargetRow{State: i.Target.State, Reason: i.Target.Reason}, Spot: i.Spot, LaunchedAt: i.LaunchedAt, Leaving: i.Why,
	}
	if r := i.Retirement; r != nil {
		row.Leaves, row.Recallable = true, !r.Final
		row.Leaving = byWhom(cmp.Or(r.By, "the policy"), r.Reason)
	}
	return row
}

func addTrend(row *webui.InstanceRow, t machineTrend) {
	row.CPU, row.Jobs, row.Requests = sparkOf(t.cpu), sparkOf(t.jobs), sparkOf(t.requests)
	row.CPUNow, row.JobsNow, row.RequestsNow = newestWords(t.cpu, " %"), newestWords(t.jobs, ""), newestWords(t.requests, "")
	row.PhotoTime, row.Unfinished = t.photo.mean()
}

// newest is the last value that is known, if that is not long ago; otherwise NaN.
func newest(values []float64) float64 {
	const looked = 3 // minutes
	for i := len(values) - 1; i >= max(0, len(values)-looked); i-- {
		if !math.IsNaN(values[i]) {
			return values[i]
		}
	}
	return math.NaN()
}

func newestWords(values []float64, unit string) string {
	v := newest(values)
	if math.IsNaN(v) {
		return "\u2013"
	}
	return webui.Number(int(math.Round(v))) + unit
}

// showSize answers GET /fleet/size.
func (s *Service) showSize(c *fiber.Ctx) error {
	status, _ := s.board.fleet.scaler.last()
	page := webui.SizePage{Frame: frame(c, "Set the size", webui.NavFleet), Size: status.Fleet.Ready + status.Fleet.Starting}
	if d := status.Decision; d != nil {
		page.Size = d.Target
	}
	if p := status.Policy; p != nil {
		page.Min, page.Max = p.Min, p.Max
	}
	page.Does = webui.NewCommand("does", scalerArea+"resize", []byte(`{"size":3,"for":"20m","why":"the open day"}`))
	return s.kit.Render(c, "size", page)
}
