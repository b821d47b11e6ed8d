package vision

import (
	"errors"
	"fmt"
)

// check holds the parameters of a decode type against each other and the input.
func (d manifestDecode) check(in manifestInput) error {
	for i, name := range d.Outputs {
		if name == "" {
			return fmt.Errorf("decode: output %d has no name", i)
		}
	}
	switch d.Type {
	case decodeCells:
		return d.checkCells(in)
	case decodeAnchors:
		return d.checkAnchors(in)
	default:
		return fmt.Errorf("decode: type is %q, not %s or %s", d.Type, decodeCells, decodeAnchors)
	}
}

func (d manifestDecode) checkCells(in manifestInput) error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("decode: "+format, args...)) }
	if len(d.Strides) == 0 || len(d.Strides) > 8 || len(d.Outputs) != len(d.Strides) {
		wrong("%d outputs and %d strides, not one of each for each of 1 to 8 maps", len(d.Outputs), len(d.Strides))
	}
	for _, stride := range d.Strides {
		switch {
		case stride < 1:
			wrong("a stride is %d, not above 0", stride)
		case in.fixed() && (in.Width%stride != 0 || in.Height%stride != 0), !in.fixed() && in.MultipleOf%stride != 0:
			wrong("the input is not always a multiple of the stride %d", stride)
		}
	}
	if !(d.MostLogDistance > 0 && d.MostLogDistance <= 10) {
		wrong("most_log_distance is %v, not above 0 to 10", d.MostLogDistance)
	}
	if len(d.Maps)+len(d.Sizes)+len(d.Ratios)+len(d.Variances) > 0 {
		wrong("maps, sizes, ratios and variances belong to the type %s", decodeAnchors)
	}
	return errors.Join(errs...)
}

func (d manifestDecode) checkAnchors(in manifestInput) error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("decode: "+format, args...)) }
	if !in.fixed() {
		wrong("%s need a fixed width and height of the input", decodeAnchors)
	}
	if len(d.Outputs) != 2 {
		wrong("%d outputs, not 2: boxes, then scores", len(d.Outputs))
	}
	if len(d.Maps) == 0 || len(d.Maps) > 8 || len(d.Sizes) != len(d.Maps) {
		wrong("%d maps and %d lists of sizes, not one of each for each of 1 to 8 maps", len(d.Maps), len(d.Sizes))
	}
	for _, side := range d.Maps {
		if !within(side, 1, 256) {
			wrong("a map's side is %d, not 1 to 256", side)
		}
	}
	for i, sizes := range d.Sizes {
		if len(sizes) == 0 || !allPositive(sizes) {
			wrong("sizes of map %d are %v, not one or more above 0", i, sizes)
		}
	}
	if len(d.Ratios) == 0 || !allPositive(d.Ratios) {
		wrong("ratios are %v, not one or more above 0", d.Ratios)
	}
	if len(d.Variances) != 4 || !allPositive(d.Variances) {
		wrong("variances are %v, not 4 above 0", d.Variances)
	}
	if len(d.Strides) > 0 || d.MostLogDistance != 0 {
		wrong("strides and most_log_distance belong to the type %s", decodeCells)
	}
	return errors.Join(errs...)
}

func allPositive(values []float64) bool {
	for _, v := range values {
		if !(v > 0) {
			return false
		}
	}
	return true
}
