package webui

import (
	"fmt"
	"html/template"
	"strings"
)

// The size of a small chart, in units of its own; it stretches to where it stands.
const (
	sparkWidth  = 120
	sparkHeight = 24
)

// Spark draws values as a small chart, for the shape of things; the number beside it
// says how much. Its scale begins at 0 and ends at the largest value.
func Spark(values []int) template.HTML {
	most := 1
	for _, v := range values {
		most = max(most, v)
	}
	return sparkUpTo(most, values, "Most in a minute: "+Number(most))
}

// SparkPercent is Spark for shares: its scale ends at 100, so that little looks little.
func SparkPercent(values []int) template.HTML {
	most := 0
	for _, v := range values {
		most = max(most, v)
	}
	return sparkUpTo(100, values, "Most of a minute: "+Number(most)+" %") //nolint:mnd // all of it
}

func sparkUpTo(most int, values []int, words string) template.HTML {
	if len(values) < 2 {
		return ""
	}
	var line strings.Builder
	for i, v := range values {
		x := float64(i) / float64(len(values)-1) * sparkWidth
		y := sparkHeight - 1 - float64(min(v, most))/float64(most)*(sparkHeight-2)
		fmt.Fprintf(&line, "%.1f %.1f ", x, y)
	}
	points := strings.TrimSpace(line.String())
	return template.HTML(fmt.Sprintf( //nolint:gosec // numbers of our own
		`<svg class="spark" viewBox="0 0 %d %d" preserveAspectRatio="none" role="img" aria-label="%s"><path class="area" d="M0 %d L%s L%d %dZ"/><path class="line" d="M%s"/></svg>`,
		sparkWidth, sparkHeight, words, sparkHeight, points, sparkWidth, sparkHeight, points))
}
