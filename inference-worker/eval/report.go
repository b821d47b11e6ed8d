package eval

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed report.html
var reportPage string

// WriteReport writes the figures as one page that needs nothing beside it; the sheet,
// if it lies beside the page under that name, is linked.
func (r Result) WriteReport(out io.Writer, sheet string) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"percent": func(share float64) string { return fmt.Sprintf("%.4g%%", 100*share) },
	}).Parse(reportPage)
	if err != nil {
		return fmt.Errorf("reading the report's page: %w", err)
	}
	columns, lines := r.table()
	err = page.Execute(out, map[string]any{
		"Headline": r.headline(), "Result": r, "Columns": columns, "Lines": lines, "Span": len(columns) + 1, "Sheet": sheet,
		"Curves": r.curves(), "Sizes": r.sizeBars(), "Calibration": r.calibrationBars(), "Steps": r.stepBars(),
		"Grids": r.Figures.grids(),
	})
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// panel is a plot of precision over recall, for one class.
type panel struct {
	Name    string
	Text    string
	Ours    string // points of an SVG line
	Against string
}

func (r Result) curves() []panel {
	var panels []panel
	for _, class := range append(classes(), anyFace) {
		curve := r.Figures.Curves[class]
		if curve == nil {
			continue
		}
		p := panel{Name: className(class), Text: points.format(r.Figures.Loose[class]), Ours: polyline(curve)}
		if r.Against != nil {
			p.Text += " against " + points.format(r.Against.Figures.Loose[class])
			p.Against = polyline(r.Against.Figures.Curves[class])
		}
		panels = append(panels, p)
	}
	return panels
}

// polyline draws a curve over a square of 100 by 100, ending where it falls to nothing.
func polyline(curve []float64) string {
	var at strings.Builder
	for i, y := range curve {
		x := 100 * float64(i) / float64(len(curve)-1)
		fmt.Fprintf(&at, "%.1f,%.1f ", x, 100*(1-y))
		if y == 0 {
			break
		}
	}
	return strings.TrimSpace(at.String())
}

// bar is a share to draw, beside another detector's.
type bar struct {
	Name  string
	Note  string
	Pairs []barValue // ours, then the other's
}

type barValue struct {
	Text  string
	Share float64 // 0 to 1
	Other bool
}

func (r Result) sides() []Figures {
	sides := []Figures{r.Figures}
	if r.Against != nil {
		sides = append(sides, r.Against.Figures)
	}
	return sides
}

func value(n Number, text string, side int) barValue {
	if !n.Exists() {
		n = 0
	}
	return barValue{text, float64(n), side > 0}
}

func (r Result) sizeBars() []bar {
	var bars []bar
	for i, s := range r.Figures.Sizes {
		b := bar{Name: s.Name, Note: fmt.Sprintf("%d faces", s.Faces)}
		for at, side := range r.sides() {
			recall := side.Sizes[i].Recall
			b.Pairs = append(b.Pairs, value(recall, points.format(recall), at))
		}
		bars = append(bars, b)
	}
	return bars
}

func (r Result) calibrationBars() []bar {
	var bars []bar
	for i, bin := range r.Figures.Calibration {
		b := bar{Name: fmt.Sprintf("%.1f to %.1f", bin.From, bin.To), Note: fmt.Sprintf("%d boxes", bin.Detections)}
		for at, side := range r.sides() {
			right := side.Calibration[i].Right
			b.Pairs = append(b.Pairs, value(right, points.format(right), at))
		}
		bars = append(bars, b)
	}
	return bars
}

// stepBars are shares of the slowest detector's whole time.
func (r Result) stepBars() []bar {
	slowest := Number(0)
	for _, side := range r.sides() {
		slowest = max(slowest, side.Costs[stepTotal].Mean)
	}
	var bars []bar
	for _, step := range stepsShown() {
		b := bar{Name: stepName(step)}
		for at, side := range r.sides() {
			mean := side.Costs[step].Mean
			b.Pairs = append(b.Pairs, value(over(mean, slowest), milliseconds.format(mean), at))
		}
		bars = append(bars, b)
	}
	return bars
}
