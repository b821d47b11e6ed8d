package eval

import (
	"strings"

	"maskfleet/pkg/job"
)

// A line of the table that text and page show: a group's heading or a figure.
type line struct {
	Heading string
	What    string
	Cells   []string
}

// table sets the figures beside the corrected ones, beside the other detector's and
// the difference, as far as there are any.
func (r Result) table() (columns []string, lines []line) {
	sides := [][]Row{r.Figures.Rows()}
	columns = []string{r.Model.Name}
	if r.Corrected != nil {
		sides = append(sides, r.Corrected.Rows())
		columns = append(columns, "boxes corrected")
	}
	if r.Against != nil {
		sides = append(sides, r.Against.Figures.Rows())
		columns = append(columns, r.Against.Model.Name+" "+r.Against.Model.Version, "difference")
	}
	group := ""
	for i, row := range sides[0] {
		if row.Group != group {
			group = row.Group
			lines = append(lines, line{Heading: group})
		}
		l := line{What: row.What}
		for _, side := range sides {
			l.Cells = append(l.Cells, side[i].Text())
		}
		if r.Against != nil {
			l.Cells = append(l.Cells, row.unit.formatChange(r.Difference[row.ID]))
		}
		lines = append(lines, l)
	}
	return columns, lines
}

// grid is a table of counts: what is, by what it is called.
type grid struct {
	Title   string
	Columns []string
	Rows    []gridRow
}

type gridRow struct {
	Name  string
	Cells []gridCell
}

type gridCell struct {
	Count int
	Share float64 // of the row, 0 to 1
	Right bool
}

func (f Figures) confusionGrid() grid {
	g := grid{Title: "Faces: what they are, by what they are called"}
	called := append(classes(), missed)
	for _, c := range called {
		g.Columns = append(g.Columns, string(c))
	}
	for _, class := range classes() {
		row := gridRow{Name: string(class)}
		for _, c := range called {
			row.Cells = append(row.Cells, gridCell{Count: f.Confusion[class][c], Right: c == class})
		}
		g.Rows = append(g.Rows, row.withShares())
	}
	noFace := gridRow{Name: "no face"}
	for _, c := range classes() {
		noFace.Cells = append(noFace.Cells, gridCell{Count: f.Spurious[c]})
	}
	g.Rows = append(g.Rows, noFace.withShares())
	return g
}

func (f Figures) categoryGrid() grid {
	g := grid{Title: "Photos: their category, by the one they are put into"}
	for _, called := range categories() {
		g.Columns = append(g.Columns, categoryName(called))
	}
	for _, is := range categories() {
		row := gridRow{Name: categoryName(is)}
		for _, called := range categories() {
			row.Cells = append(row.Cells, gridCell{Count: f.Categories.Matrix[is][called], Right: is == called})
		}
		g.Rows = append(g.Rows, row.withShares())
	}
	return g
}

func (r gridRow) withShares() gridRow {
	sum := 0
	for _, c := range r.Cells {
		sum += c.Count
	}
	for i := range r.Cells {
		if sum > 0 {
			r.Cells[i].Share = float64(r.Cells[i].Count) / float64(sum)
		}
	}
	return r
}

func categoryName(c job.Category) string { return strings.ReplaceAll(string(c), "_", " ") }
