package webui

import (
	"math"
	"strconv"
	"time"
)

// Chart is numbers over time: a table, from which the page's script draws lines. All
// charts of a page have the same axis, so that what happened together stands together.
type Chart struct {
	ID       string
	Title    string
	From, To time.Time // of the axis
	Times    []time.Time
	Series   []Series
	Marks    []Mark
	Marked   string // what marks are: "Decision"; empty: there are none
}

// Series is one line of a chart.
type Series struct {
	Name   string
	Unit   string    // behind the number, such as "%"
	Right  bool      // its scale stands on the right
	Step   bool      // it stays until it changes
	Values []float64 // at the chart's times; NaN: not known
}

// Mark is something that happened, drawn across the lines.
type Mark struct {
	At    time.Time
	Up    bool
	Words string
}

// ChartRow is a moment of a chart's table.
type ChartRow struct {
	At    time.Time
	Cells []ChartCell
	Marks []Mark // since the moment before
}

// ChartCell is a number of the table; Raw is empty where none is known.
type ChartCell struct{ Raw, Text string }

// Empty says that there is not one number.
func (c Chart) Empty() bool {
	for _, s := range c.Series {
		for _, v := range s.Values {
			if !math.IsNaN(v) {
				return false
			}
		}
	}
	return true
}

// Rows are the table, the newest first.
func (c Chart) Rows() []ChartRow {
	rows := make([]ChartRow, 0, len(c.Times))
	for i := len(c.Times) - 1; i >= 0; i-- {
		row := ChartRow{At: c.Times[i]}
		for _, s := range c.Series {
			row.Cells = append(row.Cells, cellOf(s.Values[i]))
		}
		for _, m := range c.Marks {
			after := i == 0 || m.At.After(c.Times[i-1])
			if last := i == len(c.Times)-1; after && (last || !m.At.After(c.Times[i])) {
				row.Marks = append(row.Marks, m)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func cellOf(v float64) ChartCell {
	if math.IsNaN(v) {
		return ChartCell{Text: "\u2013"}
	}
	if math.Abs(v) >= 10 || v == math.Trunc(v) {
		n := int(math.Round(v))
		return ChartCell{strconv.Itoa(n), Number(n)}
	}
	text := strconv.FormatFloat(v, 'f', 1, 64)
	return ChartCell{text, text}
}
