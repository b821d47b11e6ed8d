package manager

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
)

// cloudTimeout is a little longer than the scaler gives CloudWatch.
const cloudTimeout = 12 * time.Second

// cloudSpans are those that a page offers, beside the half hour that is live.
func cloudSpans() map[string]time.Duration {
	return map[string]time.Duration{"3h": 3 * time.Hour, "24h": 24 * time.Hour}
}

type historyRequest struct {
	Instance string           `json:"instance"`
	For      command.Duration `json:"for"`
}

// historyAnswer is the scaler's, which asks CloudWatch.
type historyAnswer struct {
	From   time.Time        `json:"from"`
	To     time.Time        `json:"to"`
	Period command.Duration `json:"period"`
	Points []historyPoint   `json:"points"`
}

type historyPoint struct {
	At       time.Time `json:"at"`
	CPU      *float64  `json:"cpu"`
	Requests *float64  `json:"requests"`
	Jobs     *float64  `json:"jobs"`
}

// showHistory answers GET /fleet/{instance}/history, also of an instance that has ended.
func (s *Service) showHistory(c *fiber.Ctx) error {
	id, err := url.PathUnescape(c.Params("instance"))
	if err != nil {
		id = c.Params("instance")
	}
	id = strings.Clone(id)
	page := webui.InstanceHistoryPage{Frame: frame(c, id, webui.NavFleet), ID: id, Span: "3h"}
	if asked := strings.Clone(c.Query("span")); cloudSpans()[asked] > 0 {
		page.Span = asked
	}
	page.Does = webui.NewCommand("does-history", scalerArea+"history", []byte(`{"instance":"`+id+`","for":"`+page.Span+`"}`))
	ctx, cancel := context.WithTimeout(httpserver.Context(c), cloudTimeout)
	defer cancel()
	answer, err := command.Ask[historyAnswer](ctx, s.queue, scalerArea+"history", command.Asker{}, historyRequest{id, command.Duration(cloudSpans()[page.Span])})
	var p *problem.Problem
	switch {
	case errors.As(err, &p) && p.Status != http.StatusInternalServerError:
		page.Wrong = p.Detail
	case err != nil:
		return err
	default:
		page.CPU, page.Rates = cloudCharts(answer)
	}
	return s.kit.Render(c, "instance-history", page)
}

// cloudCharts are CPU and rates, a point for each period.
func cloudCharts(a historyAnswer) (cpu, rates webui.Chart) {
	period := max(time.Duration(a.Period), time.Minute)
	from := a.From.UTC().Truncate(period)
	n := max(1, int(a.To.UTC().Sub(from)/period))
	times := make([]time.Time, n)
	for i := range times {
		times[i] = from.Add(time.Duration(i) * period)
	}
	busy, requests, jobs := nothing(n), nothing(n), nothing(n)
	set := func(values []float64, i int, value *float64, scale float64) {
		if value != nil {
			values[i] = math.Round(*value*scale*10) / 10 //nolint:mnd // tenths are enough
		}
	}
	for _, p := range a.Points {
		i := int(p.At.Sub(from) / period)
		if i < 0 || i >= n {
			continue
		}
		set(busy, i, p.CPU, 100) //nolint:mnd // per cent
		set(requests, i, p.Requests, 1/period.Minutes())
		set(jobs, i, p.Jobs, 1/period.Minutes())
	}
	chart := webui.Chart{From: times[0], To: times[n-1], Times: times}
	cpu, rates = chart, chart
	cpu.ID, cpu.Title = "cpu", "CPU"
	cpu.Series = []webui.Series{{Name: "CPU", Unit: "%", Values: busy}}
	rates.ID, rates.Title = "rates", "Requests and photos a minute"
	rates.Series = []webui.Series{{Name: "HTTP requests", Unit: "a minute", Values: requests}, {Name: "Photos", Unit: "a minute", Values: jobs}}
	return cpu, rates
}
