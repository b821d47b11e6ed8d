package chart

import (
	_ "embed" // the picture
	"fmt"
	"html/template"
	"io"
)

//go:embed picture.svg
var picture string

// Picture is panels one below the other, over the same time.
type Picture struct {
	Title  string
	Panels []Panel
	Ticks  []Tick // below the last panel
}

// Panel is an area, and a line over it.
type Panel struct {
	Name string // with what the area and the line are
	Unit string // of the upper edge
	Area []float64
	Line []float64 // may be missing
	Top  float64   // what the upper edge stands for; 0: the largest
}

// Tick is a time that is written below.
type Tick struct {
	At   float64 // share of the width
	Text string
}

const (
	panelGap = 34 // above each panel, for its name
	margin   = 20
)

type drawnPanel struct {
	Name, Top, Area, Line string
	Y                     int
}

type drawnTick struct {
	X      float64
	Anchor string // of the text, in SVG's words
	Text   string
}

// Write writes a picture that can stand by itself in a page.
func (p Picture) Write(out io.Writer) error {
	page, err := template.New("picture").Parse(picture)
	if err != nil {
		return fmt.Errorf("reading the frame of pictures: %w", err)
	}
	var panels []drawnPanel
	y := margin
	for _, panel := range p.Panels {
		y += panelGap
		panels = append(panels, panel.draw(y))
		y += Height
	}
	var ticks []drawnTick
	for _, t := range p.Ticks {
		anchor := "middle"
		switch t.At {
		case 0:
			anchor = "start"
		case 1:
			anchor = "end"
		}
		ticks = append(ticks, drawnTick{t.At * Width, anchor, t.Text})
	}
	err = page.Execute(out, map[string]any{
		"Title": p.Title, "Panels": panels, "Ticks": ticks, "Margin": margin,
		"Width": Width, "Height": Height, "WholeWidth": Width + 2*margin, "Bottom": y, "WholeHeight": y + 2*margin,
	})
	if err != nil {
		return fmt.Errorf("writing the picture: %w", err)
	}
	return nil
}

func (p Panel) draw(y int) drawnPanel {
	area, line := Shrink(p.Area, Mean), Shrink(p.Line, Mean)
	top := p.Top
	if top == 0 {
		top = max(Largest(area), Largest(line), 1e-9)
	}
	d := drawnPanel{Name: p.Name, Y: y, Top: fmt.Sprintf("%.3g %s", top, p.Unit), Area: Area(area, top)}
	if len(line) > 0 {
		d.Line = Line(line, top)
	}
	return d
}
