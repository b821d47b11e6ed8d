package eval

import (
	"maps"
	"slices"
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
// the difference, as far as there are any. What no side has a figure of is left out: on
// photos without faces that is nearly all.
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
		if !slices.ContainsFunc(sides, func(side []Row) bool { return side[i].Value.Exists() }) {
			continue
		}
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

// grids are those of all photos, and that of the faces with tags if there are any.
func (f Figures) grids() []grid {
	all := []grid{f.confusionGrid(), f.categoryGrid()}
	if len(f.Tagged) > 0 {
		all = append(all, f.tagGrid())
	}
	return all
}

func (f Figures) confusionGrid() grid {
	g := facesGrid("Faces: what they are, by what they are called")
	for _, class := range classes() {
		g.Rows = append(g.Rows, f.Confusion.row(class, string(class)))
	}
	noFace := gridRow{Name: "no face"}
	for _, c := range classes() {
		noFace.Cells = append(noFace.Cells, gridCell{Count: f.Spurious[c]})
	}
	g.Rows = append(g.Rows, noFace.withShares())
	return g
}

// tagGrid leaves out classes of which no face has the tag.
func (f Figures) tagGrid() grid {
	g := facesGrid("Faces with a tag: what they are, by what they are called")
	for _, tag := range slices.Sorted(maps.Keys(f.Tagged)) {
		for _, class := range classes() {
			if row := f.Tagged[tag].row(class, tag+", "+string(class)); row.sum() > 0 {
				g.Rows = append(g.Rows, row)
			}
		}
	}
	return g
}

func facesGrid(title string) grid {
	g := grid{Title: title}
	for _, called := range fates() {
		g.Columns = append(g.Columns, string(called))
	}
	return g
}

func (c Confusion) row(class job.Label, name string) gridRow {
	row := gridRow{Name: name}
	for _, called := range fates() {
		row.Cells = append(row.Cells, gridCell{Count: c[class][called], Right: called == class})
	}
	return row.withShares()
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

func (r gridRow) sum() int {
	sum := 0
	for _, c := range r.Cells {
		sum += c.Count
	}
	return sum
}

func (r gridRow) withShares() gridRow {
	sum := r.sum()
	for i := range r.Cells {
		if sum > 0 {
			r.Cells[i].Share = float64(r.Cells[i].Count) / float64(sum)
		}
	}
	return r
}

func categoryName(c job.Category) string { return strings.ReplaceAll(string(c), "_", " ") }
