package vision

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"maskfleet/pkg/job"
	"maskfleet/pkg/strictjson"
	"maskfleet/pkg/visionconfig"
)

// manifest says how a network is used; docs/models.md explains every field.
type manifest struct {
	Name       string                                              `json:"name"`
	Version    string                                              `json:"version"`
	File       string                                              `json:"file"`
	Input      manifestInput                                       `json:"input"`
	Decode     manifestDecode                                      `json:"decode"`
	Classes    []string                                            `json:"classes"` // in the network's order
	Thresholds map[visionconfig.WorkingPoint]map[job.Label]float64 `json:"thresholds"`
	Overlap    float64                                             `json:"overlap"`
	Candidates float64                                             `json:"candidates"` // 0: the thresholds
	Agreement  float64                                             `json:"agreement"`  // 0: boxes are not averaged
	Confidence map[visionconfig.WorkingPoint]confidence            `json:"confidence"` // nil: the network's score
}

type manifestInput struct {
	LongerSide map[visionconfig.WorkingPoint]int `json:"longer_side"` // pixels; or Width and Height
	MultipleOf int                               `json:"multiple_of"`
	Width      int                               `json:"width"`
	Height     int                               `json:"height"`
	Fit        string                            `json:"fit"`
	Channels   string                            `json:"channels"`
	Mean       []float32                         `json:"mean"` // in the order of Channels, of pixels from 0 to 255
	Scale      []float32                         `json:"scale"`
}

type manifestDecode struct {
	Type    string   `json:"type"`
	Outputs []string `json:"outputs"`

	// Of cells.
	Strides         []int   `json:"strides"`
	MostLogDistance float64 `json:"most_log_distance"`

	// Of anchors.
	Maps      []int       `json:"maps"`
	Sizes     [][]float64 `json:"sizes"`
	Ratios    []float64   `json:"ratios"`
	Variances []float64   `json:"variances"`
}

const (
	fitLetterbox = "letterbox"
	fitStretch   = "stretch"

	decodeCells   = "cells"
	decodeAnchors = "anchors"

	classBackground = "background" // of networks that have a class for what is no face

	shortestInput = 32   // pixels
	longestInput  = 2048 // pixels; more would need more memory than a slot may have
	mostClasses   = 16
)

// readManifest reads and checks a manifest; what only the network itself can show is
// found out when it is run for the first time.
func readManifest(text []byte) (manifest, error) {
	var m manifest
	if err := strictjson.Read(text, &m); err != nil { // a misspelt field would silently mean its default
		return manifest{}, err
	}
	return m, errors.Join(m.checkNames(), m.Input.check(), m.Decode.check(m.Input), m.checkClasses(), m.checkThresholds(), m.checkConfidence())
}

func (m manifest) checkNames() error {
	var errs []error
	for field, value := range map[string]string{"name": m.Name, "version": m.Version} {
		if !regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`).MatchString(value) {
			errs = append(errs, fmt.Errorf("%s is %q, not 1 to 40 letters, digits, dots, dashes and underscores", field, value))
		}
	}
	if m.File == "" {
		errs = append(errs, errors.New("file is empty"))
	}
	return errors.Join(errs...)
}

func (in manifestInput) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("input: "+format, args...)) }
	if in.fixed() {
		if !within(in.Width, shortestInput, longestInput) || !within(in.Height, shortestInput, longestInput) {
			wrong("width and height are %d and %d, not %d to %d", in.Width, in.Height, shortestInput, longestInput)
		}
		if len(in.LongerSide) > 0 {
			wrong("longer_side and a fixed width and height exclude each other")
		}
	} else {
		in.checkSides(wrong)
	}
	if in.Fit != fitLetterbox && in.Fit != fitStretch {
		wrong("fit is %q, not %s or %s", in.Fit, fitLetterbox, fitStretch)
	}
	if in.Fit == fitStretch && !in.fixed() {
		wrong("%s needs a fixed width and height", fitStretch)
	}
	if in.Channels != "bgr" && in.Channels != "rgb" {
		wrong("channels is %q, not bgr or rgb", in.Channels)
	}
	if len(in.Mean) != 3 || len(in.Scale) != 3 {
		wrong("mean and scale have %d and %d values, not 3", len(in.Mean), len(in.Scale))
	}
	if slices.Contains(in.Scale, 0) {
		wrong("a scale of 0 leaves nothing of a channel")
	}
	return errors.Join(errs...)
}

func (in manifestInput) checkSides(wrong func(string, ...any)) {
	if !within(in.MultipleOf, 1, longestInput) {
		wrong("multiple_of is %d, not 1 to %d", in.MultipleOf, longestInput)
	}
	for _, point := range visionconfig.WorkingPoints() {
		side, given := in.LongerSide[point]
		switch {
		case !given:
			wrong("longer_side has no %s", point)
		case !within(side, shortestInput, longestInput):
			wrong("longer_side of %s is %d, not %d to %d", point, side, shortestInput, longestInput)
		case in.MultipleOf > 0 && side%in.MultipleOf != 0:
			wrong("longer_side of %s is %d, not a multiple of %d", point, side, in.MultipleOf)
		}
	}
	for point := range in.LongerSide {
		if !slices.Contains(visionconfig.WorkingPoints(), point) {
			wrong("longer_side has the unknown working point %q", point)
		}
	}
}

// fixed says that every photo is fitted into one size.
func (in manifestInput) fixed() bool { return in.Width != 0 || in.Height != 0 }

func (m manifest) checkClasses() error {
	if len(m.Classes) == 0 || len(m.Classes) > mostClasses {
		return fmt.Errorf("classes has %d entries, not 1 to %d", len(m.Classes), mostClasses)
	}
	var errs []error
	for _, class := range m.Classes {
		if class != classBackground && !slices.Contains(labels(), job.Label(class)) {
			errs = append(errs, fmt.Errorf("classes: %q is not one of %v or %s", class, labels(), classBackground))
		}
	}
	if !slices.ContainsFunc(m.Classes, func(class string) bool { return class != classBackground }) {
		errs = append(errs, fmt.Errorf("classes: all are %s", classBackground))
	}
	return errors.Join(errs...)
}

func (m manifest) checkThresholds() error {
	var errs []error
	for point := range m.Thresholds {
		if !slices.Contains(visionconfig.WorkingPoints(), point) {
			errs = append(errs, fmt.Errorf("thresholds has the unknown working point %q", point))
		}
	}
	for _, point := range visionconfig.WorkingPoints() {
		for label := range m.Thresholds[point] {
			if label == classBackground || !slices.Contains(m.Classes, string(label)) {
				errs = append(errs, fmt.Errorf("thresholds of %s has %q, which is no face's class of this network", point, label))
			}
		}
		for _, class := range m.Classes {
			least, given := m.Thresholds[point][job.Label(class)]
			switch {
			case class == classBackground:
			case !given:
				errs = append(errs, fmt.Errorf("thresholds of %s has no %s", point, class))
			case !(least > 0 && least < 1):
				errs = append(errs, fmt.Errorf("thresholds: %s at %s is %v, not above 0 and below 1", class, point, least))
			}
		}
	}
	if !(m.Overlap > 0 && m.Overlap < 1) {
		errs = append(errs, fmt.Errorf("overlap is %v, not above 0 and below 1", m.Overlap))
	}
	return errors.Join(errs...)
}

// labels are what a face can be called.
func labels() []job.Label {
	return []job.Label{job.LabelMasked, job.LabelUnmasked, job.LabelIncorrect}
}

func within(value, least, most int) bool { return least <= value && value <= most }
