package chart

import (
	"fmt"
	"math"
	"strings"
)

// The size of one panel, in SVG's units, and how many points a line has at most.
const (
	Width  = 960
	Height = 90
	points = 480
)

// Shrink makes so few points of a series as a panel has.
func Shrink(series []float64, of func([]float64) float64) []float64 {
	small := make([]float64, min(points, len(series)))
	for i := range small {
		small[i] = of(series[i*len(series)/len(small) : (i+1)*len(series)/len(small)])
	}
	return small
}

// Mean is the mean of a part.
func Mean(part []float64) float64 {
	sum := 0.0
	for _, x := range part {
		sum += x
	}
	return sum / float64(len(part))
}

// Largest is the largest of a part, and at least 0.
func Largest(part []float64) float64 {
	top := 0.0
	for _, x := range part {
		top = math.Max(top, x)
	}
	return top
}

// Line gives the points of an SVG line. Top is what the upper edge stands for.
func Line(series []float64, top float64) string {
	var text strings.Builder
	for i, x := range series {
		at := float64(i) * Width / float64(max(1, len(series)-1))
		fmt.Fprintf(&text, "%.1f,%.1f ", at, Height*(1-x/top))
	}
	return strings.TrimSpace(text.String())
}

// Area gives the points of the SVG polygon below a line.
func Area(series []float64, top float64) string {
	return fmt.Sprintf("0,%d %s %d,%d", Height, Line(series, top), Width, Height)
}
