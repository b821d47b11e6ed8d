package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/cache"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui"
)

// descriptions are what the stores and services say of themselves. They are read only
// while somebody looks at Health, but for who answers commands: to know that all have
// answered takes a while, and whoever looks is not to wait for it.
type descriptions struct {
	mysql      *gauge[jobstore.Server]
	redis      *gauge[cache.Server]
	broker     *gauge[brokerWord]
	streams    *gauge[[]jobqueue.StreamUse]
	days       *gauge[[]string] // under which objects lie in S3
	responders *gauge[[]jobqueue.Responder]
	duties     *gauge[[]duty]
	sweep      *gauge[*jobstore.Sweep] // nil: none yet
}

// brokerWord is what the broker and its monitor say.
type brokerWord struct {
	ahead   time.Duration // of our clock
	syncing *jobqueue.Syncing
}

func newDescriptions(b *board, s *Service) descriptions {
	every := 2 * s.cfg.Reading.CountInterval
	d := descriptions{
		mysql:      gaugeOf(b, s, "mysql's description", every, s.store.Describe),
		redis:      gaugeOf(b, s, "redis's description", every, s.cache.Describe),
		broker:     gaugeOf(b, s, "the broker's description", every, s.readBroker),
		streams:    gaugeOf(b, s, "streams", every, s.queue.Streams),
		days:       gaugeOf(b, s, "days in s3", s.cfg.Reading.TotalInterval, s.images.Days),
		responders: gaugeOf(b, s, "who answers commands", every, s.queue.Responders),
		duties:     gaugeOf(b, s, "who acts for all", every, s.readDuties),
		sweep:      gaugeOf(b, s, "the last sweep", every, s.readSweep),
	}
	d.mysql.lazy, d.redis.lazy, d.broker.lazy, d.streams.lazy, d.days.lazy, d.duties.lazy, d.sweep.lazy = true, true, true, true, true, true, true
	return d
}

func (s *Service) readBroker(ctx context.Context) (w brokerWord, err error) {
	if w.ahead, err = s.queue.Clock(ctx); err != nil || s.cfg.NATSMonitorURL == "" {
		return w, err
	}
	said, err := jobqueue.ReadSyncing(ctx, s.cfg.NATSMonitorURL)
	if err != nil { // the rest is known all the same
		s.tel.Log.DebugContext(ctx, "the broker's monitor does not answer", "err", err)
		return w, nil
	}
	w.syncing = &said
	return w, nil
}

func (s *Service) readSweep(ctx context.Context) (*jobstore.Sweep, error) {
	last, err := s.store.LastSweep(ctx)
	if errors.Is(err, jobstore.ErrNotFound) {
		return nil, nil //nolint:nilnil // none yet is no error
	}
	return &last, err
}

// look reads what nobody has looked at for a while, all at once.
func (d descriptions) look(ctx context.Context) {
	var all sync.WaitGroup
	for _, read := range []func(){
		func() { d.mysql.fresh(ctx) }, func() { d.redis.fresh(ctx) }, func() { d.broker.fresh(ctx) }, func() { d.streams.fresh(ctx) },
		func() { d.days.fresh(ctx) }, func() { d.duties.fresh(ctx) }, func() { d.sweep.fresh(ctx) },
	} {
		all.Go(read) // ends within the context's time
	}
	all.Wait()
}

func (s *Service) healthPages() []route { return []route{look("/health", s.showHealth)} }

// firstLook is how long a page waits for what nobody has looked at yet; the rest comes
// by itself.
const firstLook = 100 * time.Millisecond

// showHealth answers GET /health.
func (s *Service) showHealth(c *fiber.Ctx) error {
	ctx, stop := context.WithTimeout(httpserver.Context(c), firstLook)
	defer stop()
	s.board.descriptions.look(ctx)
	page := s.healthPage()
	page.Frame = frame(c, "Health", webui.NavHealth)
	return s.kit.Render(c, "health", page)
}

// healthPage is every store and service as the board knows it.
func (s *Service) healthPage() webui.HealthPage {
	b := s.board
	page := webui.HealthPage{At: time.Now(), Troubles: b.troubles(), Parts: b.parts()}
	for i := range page.Parts {
		page.Parts[i].Facts = s.factsOf(page.Parts[i].Name)
		page.Parts[i].Console = map[string]string{"MySQL": s.cfg.Consoles.RDS, "S3": s.cfg.Consoles.S3}[page.Parts[i].Name]
	}
	var streams []jobqueue.StreamUse
	streams, page.StreamsRead = b.descriptions.streams.last()
	for _, u := range streams {
		row := webui.StreamRow{Name: u.Name, Messages: u.Messages, Bytes: u.Bytes, MaxBytes: u.MaxBytes, Replicas: u.Replicas, Oldest: u.Oldest}
		if u.MaxBytes > 0 {
			row.Full = float64(u.Bytes) / float64(u.MaxBytes)
		}
		if u.MaxMessages > 0 {
			row.Full = max(row.Full, float64(u.Messages)/float64(u.MaxMessages))
		}
		page.Streams = append(page.Streams, row)
	}
	var responders []jobqueue.Responder
	responders, page.ServicesRead = b.descriptions.responders.last()
	page.Services = serviceRows(responders)
	page.Disks, page.Clocks = b.diskRows(), b.clocks()
	page.Duties, page.DutiesRead = b.dutyRows()
	return page
}

// factsOf are what a store says of itself.
func (s *Service) factsOf(part string) []webui.Fact {
	d := s.board.descriptions
	switch part {
	case "MySQL":
		m, read := d.mysql.last()
		if !read.Known() {
			return nil
		}
		return []webui.Fact{
			{Name: "Version", Value: m.Version}, {Name: "Connections", Value: webui.Number(m.Connections) + " of " + webui.Number(m.Limit)},
			{Name: "Tables and indexes", Value: webui.Bytes(m.Bytes)}, {Name: "Photos, about", Value: webui.Number(m.Photos)}, {Name: "Migration", Value: fmt.Sprint(m.Migration)},
		}
	case "NATS":
		return []webui.Fact{{Name: "Version", Value: cmp.Or(s.queue.ServerVersion(), "not known")}}
	case "Redis":
		r, read := d.redis.last()
		if !read.Known() {
			return nil
		}
		limit := "no limit"
		if r.MaxBytes > 0 {
			limit = webui.Bytes(r.MaxBytes)
		}
		return []webui.Fact{{Name: "Version", Value: r.Version}, {Name: "Memory", Value: webui.Bytes(r.Bytes) + " of " + limit}, {Name: "Keys", Value: webui.Number(r.Keys)}, {Name: "At the limit", Value: r.Eviction}}
	case "S3":
		facts := []webui.Fact{{Name: "Bucket", Value: s.cfg.Images.Bucket}, {Name: "At", Value: cmp.Or(s.cfg.Images.Endpoint, "AWS, "+s.cfg.Images.Region)}}
		if days, read := d.days.last(); read.Known() && len(days) > 0 {
			facts = append(facts, webui.Fact{Name: "Days with objects", Value: webui.Number(len(days))}, webui.Fact{Name: "The oldest", Value: days[0]})
		}
		return facts
	}
	return nil
}

// expected are the services of which one at least should answer.
func expected() []string {
	return []string{"maskfleet-manager", "maskfleet-worker", "maskfleet-scaler"}
}

func serviceRows(responders []jobqueue.Responder) []webui.ServiceRow {
	var rows []webui.ServiceRow
	for _, name := range expected() {
		rows = append(rows, webui.ServiceRow{Name: name})
	}
	for _, r := range responders {
		i := slices.IndexFunc(rows, func(row webui.ServiceRow) bool { return row.Name == r.Service })
		if i < 0 {
			i, rows = len(rows), append(rows, webui.ServiceRow{Name: r.Service})
		}
		rows[i].Answer++
		rows[i].Slowest = max(rows[i].Slowest, r.Took)
		if _, build, _ := strings.Cut(r.Version, "+"); !slices.Contains(rows[i].Builds, build) {
			rows[i].Builds = append(rows[i].Builds, build)
		}
	}
	return rows
}
