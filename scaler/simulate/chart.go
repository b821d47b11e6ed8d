package simulate

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"

	"maskfleet/scaler/chart"
)

//go:embed chart.html
var chartPage string

// panel is one line, or two, over time.
type panel struct {
	Name   string
	Top    string // what the upper edge stands for
	Area   string // points of an SVG polygon
	Line   string // points of an SVG line
	Limit  float64
	Marked bool // Limit is drawn
}

// plot is the panels of one rule.
type plot struct {
	Row    Row
	Panels []panel
}

// WriteCharts writes load, fleet and wait of every rule as one page that needs nothing
// beside it.
func (c Comparison) WriteCharts(out io.Writer) error {
	page, err := template.New("charts").Parse(chartPage)
	if err != nil {
		return fmt.Errorf("reading the page of charts: %w", err)
	}
	var plots []plot
	for _, r := range c.Rows {
		plots = append(plots, plot{r, c.panels(r.outcome)})
	}
	err = page.Execute(out, map[string]any{"Comparison": c, "Plots": plots, "Width": chart.Width, "Height": chart.Height, "Ticks": c.ticks()})
	if err != nil {
		return fmt.Errorf("writing the charts: %w", err)
	}
	return nil
}

func (c Comparison) panels(o Outcome) []panel {
	slots := float64(c.Slots)
	load, fleet, ready := make([]float64, len(o.Fleet)), make([]float64, len(o.Fleet)), make([]float64, len(o.Fleet))
	for i := range o.Fleet {
		load[i], fleet[i], ready[i] = o.Load[i], float64(o.Fleet[i])*slots, float64(o.Ready[i])*slots
	}
	waits := make([]float64, len(o.Fleet))
	for i, wait := range o.Waits {
		if at := int(o.arrived[i]); at < len(waits) {
			waits[at] = math.Max(waits[at], wait)
		}
	}
	top := float64(c.Max) * slots
	loads := chart.Shrink(load, chart.Mean)
	top = math.Max(top, chart.Largest(loads))
	longest := math.Max(2*c.TargetWait, chart.Largest(waits))
	return []panel{
		{Name: "load in slots, and slots ordered", Top: fmt.Sprintf("%.0f slots", top), Area: chart.Area(loads, top), Line: chart.Line(chart.Shrink(fleet, chart.Largest), top)},
		{Name: "slots ready", Top: fmt.Sprintf("%.0f slots", top), Area: chart.Area(chart.Shrink(ready, chart.Mean), top)},
		{
			Name: "longest wait of those who came", Top: fmt.Sprintf("%.0f s", longest), Area: chart.Area(chart.Shrink(waits, chart.Largest), longest),
			Limit: chart.Height * (1 - c.TargetWait/longest), Marked: true,
		},
	}
}

// tick is a time written below the charts.
type tick struct {
	At     float64
	Anchor string // of the text, in SVG's words
	Text   string
}

func (c Comparison) ticks() []tick {
	const parts = 6
	var all []tick
	for i := range parts + 1 {
		share, anchor := float64(i)/parts, "middle"
		switch i {
		case 0:
			anchor = "start"
		case parts:
			anchor = "end"
		}
		hours := strconv.FormatFloat(math.Round(100*share*c.Hours)/100, 'f', -1, 64)
		all = append(all, tick{share * chart.Width, anchor, hours + " h"})
	}
	return all
}
