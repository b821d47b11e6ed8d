package manager

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
)

const (
	failuresLooked = 200 // the fleet's last, for those of one worker
	failuresShown  = 8
)

// showWorker answers GET /workers/{worker} with the way to its instance.
func (s *Service) showWorker(c *fiber.Ctx) error {
	id := strings.Clone(c.Params("worker"))
	workers, _ := s.board.workers.last()
	for _, w := range workers {
		if w.ID == id {
			return c.Redirect("/fleet/"+url.PathEscape(cmp.Or(w.Instance, w.ID)), http.StatusSeeOther)
		}
	}
	return c.Redirect("/fleet/"+url.PathEscape(id), http.StatusSeeOther)
}

// showInstance answers GET /fleet/{instance}.
func (s *Service) showInstance(c *fiber.Ctx) error {
	id, err := url.PathUnescape(c.Params("instance"))
	if err != nil {
		id = c.Params("instance")
	}
	id = strings.Clone(id)
	ctx, cancel := within(c)
	defer cancel()
	page, there := s.instancePage(id)
	if !page.Known && !page.Gone { // the board has only now begun to ask how it left
		asking, stop := context.WithTimeout(ctx, departureWait)
		defer stop()
		s.board.fleet.departures.again(asking)
		page, there = s.instancePage(id)
	}
	if !there {
		return problem.New(http.StatusNotFound, problem.CodeNotFound,
			"The fleet has no instance of that name, and no worker is alive on one. If it ended more than seven days ago, the decisions and the audit log may say why.")
	}
	page.Frame = frame(c, id, webui.NavFleet)
	page.Failed, page.FailedIn = s.lastFailures(ctx, page.Tellers)
	return s.kit.Render(c, "instance", page)
}

// instancePage is an instance and its workers as the board knows them; false if there is
// nothing of that name.
func (s *Service) instancePage(id string) (page webui.InstancePage, there bool) {
	b := s.board
	page = webui.InstancePage{Console: s.cfg.Consoles.EC2, At: time.Now(), Troubles: b.troubles()}
	list, read := b.fleet.instances.last()
	workers, _ := b.workers.last()
	lately, chartRead := b.fleet.history.last()
	page.Fleet, page.ChartRead = read, chartRead
	at := slices.IndexFunc(list.instances, func(i scalerInstance) bool { return i.ID == id })
	mine := slices.DeleteFunc(slices.Clone(workers), func(w jobqueue.Worker) bool { return cmp.Or(w.Instance, w.ID) != id })
	slices.SortFunc(mine, func(a, b jobqueue.Worker) int { return cmp.Compare(a.ID, b.ID) })
	trend, told := lately.machines[id]
	page.Row = webui.InstanceRow{ID: id, Role: outside}
	if at >= 0 {
		i := list.instances[at]
		page.Known = true
		page.Facts, page.Tags, page.UserData = instanceFacts(i), tagFacts(i.Tags), withoutSecrets(list.userData)
		page.Row = fleetRows(list.instances[at:at+1], mine, lately)[0]
	} else if len(mine) > 0 {
		page.Row = fleetRows(nil, mine, lately)[0]
	}
	page.Tellers = tellersOf(id, mine, trend)
	left := false
	if at < 0 { // a worker's last sign of life may outlive it
		var how jobqueue.Departure
		how, left = b.departure(id)
		if left = left && (!how.EndedAt.IsZero() || len(mine) == 0 && read.Known()); left {
			fillGone(&page, how)
		}
	}
	page.PhotoTime = usualPhotoTime(fleetRows(list.instances, workers, lately))
	page.CPU, page.Rates = workerCharts(trend, page.At)
	page.Workers = s.workerParts(mine)
	page.Commands = instanceCommands(page)
	return page, at >= 0 || len(mine) > 0 || told || left
}

// tellersOf are the workers that are or were alive on an instance: those of the last half
// hour, or what a worker is called where no setting says otherwise.
func tellersOf(id string, alive []jobqueue.Worker, trend machineTrend) []string {
	all := slices.Clone(trend.workers)
	for _, w := range alive {
		all = append(all, w.ID)
	}
	if len(all) == 0 {
		return []string{id}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// instanceCommands do the same as the buttons of the page.
func instanceCommands(page webui.InstancePage) (all []webui.Command) {
	add := func(does, subject string, request any) {
		if text, err := json.Marshal(request); err == nil {
			all = append(all, webui.NewCommand(does, subject, text))
		}
	}
	for _, w := range page.Workers {
		if page.Row.Leaves || !namesAWorker(w.ID) {
			continue
		}
		if w.Resumable {
			add("does-resume-"+w.ID, workerArea+w.ID+".resume", workerResume{})
		} else {
			add("does-keep-"+w.ID, workerArea+w.ID+".drain", workerDrain{})
		}
	}
	if page.Known {
		add("does-drain", scalerArea+"drain", leaveRequest{Instance: page.Row.ID})
		add("does-destroy", scalerArea+"destroy", leaveRequest{Instance: page.Row.ID})
	}
	return all
}

func instanceFacts(i scalerInstance) []webui.Fact {
	facts := []webui.Fact{
		{Name: "Type", Value: i.Type}, {Name: "Zone", Value: i.Zone}, {Name: "Market", Value: map[bool]string{true: "spot: AWS may take it back", false: "on demand"}[i.Spot]},
		{Name: "State at EC2", Value: i.State}, {Name: "Sign of life", Value: cmp.Or(i.Health, "not known")}, {Name: "Image", Value: i.Image},
		{Name: "Version", Value: i.Version}, {Name: "Key pair", Value: cmp.Or(i.KeyPair, "none")}, {Name: "Private address", Value: i.Address},
		{Name: "Public address", Value: cmp.Or(i.PublicAddress, "none")},
	}
	if !i.LaunchedAt.IsZero() {
		facts = append(facts, webui.Fact{Name: "Launched", Value: utc(i.LaunchedAt)})
	}
	if r := i.Retirement; r != nil {
		facts = append(facts, webui.Fact{Name: "Leaves since", Value: utc(r.BegunAt)})
	}
	return slices.DeleteFunc(facts, func(f webui.Fact) bool { return f.Value == "" })
}

func tagFacts(tags map[string]string) []webui.Fact {
	var facts []webui.Fact
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		facts = append(facts, webui.Fact{Name: name, Value: tags[name]})
	}
	return facts
}

// Secrets in user data, as settings and as part of an address. What is hidden by
// mistake is a word on a page; what is shown by mistake is not taken back.
var (
	secretSetting = regexp.MustCompile(`(?im)^(\s*(?:export\s+)?["']?[a-z0-9_.-]*(?:password|passwd|secret|token|key|credential|_dsn)[a-z0-9_.-]*["']?\s*[=:]\s*)\S.*$`)
	secretAddress = regexp.MustCompile(`(://[^/@\s:]*:)[^@/\s]+@`)
)

func withoutSecrets(text string) string {
	text = secretSetting.ReplaceAllString(text, "${1}•••")
	return secretAddress.ReplaceAllString(text, "${1}•••@")
}

// workerParts are the instance's workers with what they have in hand.
func (s *Service) workerParts(workers []jobqueue.Worker) []webui.WorkerPart {
	inHand, _ := s.board.fleet.inHand.last()
	var parts []webui.WorkerPart
	for i, row := range workerRows(workers) {
		w := workers[i] // both are in the order of their ids
		s.board.fleet.asked.look(row.ID)
		part := webui.WorkerPart{WorkerRow: row}
		status, says := inHand[row.ID]
		part.Says = says
		part.Drain = drainWords(w.Drain, w.DrainBy, w.DrainWhy)
		part.Resumable = w.Drain.OfInstance()
		for _, p := range status.Photos {
			part.Hand = append(part.Hand, webui.HandRow{
				ID: p.ID.String(), Lane: string(p.Lane), Attempt: p.Attempt, For: time.Duration(p.For), Left: time.Duration(p.LeaseLeft),
			})
		}
		parts = append(parts, part)
	}
	return parts
}

// lastFailures are those of the workers among the fleet's last: an index leads to these,
// and none to a worker's own.
func (s *Service) lastFailures(ctx context.Context, workers []string) (rows []webui.FailedRow, where string) {
	const lookedIn = "the fleet’s last 200 failures"
	photos, err := s.store.SearchPhotos(ctx, jobstore.Search{State: job.StateFailed, Limit: failuresLooked})
	if err != nil {
		s.tel.Log.WarnContext(ctx, "failures of a worker not read", "err", err)
		return nil, ""
	}
	for _, p := range photos {
		if !slices.Contains(workers, p.WorkerID) || p.Failure == nil || len(rows) == failuresShown {
			continue
		}
		rows = append(rows, webui.FailedRow{ID: p.ID.String(), Name: nameOf(p), Code: string(p.Failure.Code), At: p.DoneAt})
	}
	return rows, lookedIn
}
