package eval

import (
	_ "embed" // the corrections of our own test split
	"fmt"
	"math"
	"slices"

	"maskfleet/pkg/strictjson"
)

// Corrected is what a person found wrong with the boxes of one photo.
type Corrected struct {
	FileName string       `json:"file_name"`
	Reason   string       `json:"reason"`
	Add      []Correction `json:"add"`
	Remove   []Correction `json:"remove"` // by its box alone
	Change   []Correction `json:"change"` // the box stays, the category is the new one
}

// Correction is one box of a correction, named as the data set names it.
type Correction struct {
	Category string     `json:"category"`
	Box      [4]float64 `json:"bbox"`
}

func (c Correction) box() Box { return Box{c.Box[0], c.Box[1], c.Box[2], c.Box[3]} }

// ownCorrections are frozen: they are part of what the published figures mean.
//
//go:embed corrections.json
var ownCorrections []byte

// OwnCorrections are those of the data set that the shipped model is measured on.
func OwnCorrections() ([]Corrected, error) { return ReadCorrections(ownCorrections) }

// ReadCorrections reads a list of corrections, each with its reason.
func ReadCorrections(text []byte) ([]Corrected, error) {
	var list []Corrected
	if err := strictjson.Read(text, &list); err != nil {
		return nil, fmt.Errorf("reading the corrections: %w", err)
	}
	for _, c := range list {
		if c.FileName == "" || c.Reason == "" || len(c.Add)+len(c.Remove)+len(c.Change) == 0 {
			return nil, fmt.Errorf("reading the corrections: the entry of %q lacks its file, its reason or its boxes", c.FileName)
		}
	}
	return list, nil
}

// Correct gives the data set with the corrections, and how many boxes they changed.
// Corrections of photos that are not in the split are left out; if none is in it, the
// error is ErrOtherData.
func (s DataSet) Correct(list []Corrected) (DataSet, int, error) {
	corrected := s
	corrected.Photos = slices.Clone(s.Photos)
	boxes := 0
	for _, c := range list {
		at := slices.IndexFunc(s.Photos, func(p Photo) bool { return p.FileName == c.FileName })
		if at < 0 {
			continue
		}
		photo := &corrected.Photos[at]
		photo.Faces, photo.Ignored = slices.Clone(photo.Faces), slices.Clone(photo.Ignored)
		if err := photo.correct(c); err != nil {
			return DataSet{}, 0, fmt.Errorf("correcting %s: %w", c.FileName, err)
		}
		boxes += len(c.Add) + len(c.Remove) + len(c.Change)
	}
	if boxes == 0 {
		return DataSet{}, 0, ErrOtherData
	}
	return corrected, boxes, nil
}

func (p *Photo) correct(c Corrected) error {
	for _, gone := range slices.Concat(c.Remove, c.Change) {
		faces, regions := len(p.Faces), len(p.Ignored)
		p.Faces = slices.DeleteFunc(p.Faces, func(t Truth) bool { return same(t.Box, gone.box()) })
		p.Ignored = slices.DeleteFunc(p.Ignored, func(b Box) bool { return same(b, gone.box()) })
		if len(p.Faces)+len(p.Ignored) == faces+regions {
			return fmt.Errorf("it has no box %v", gone.Box)
		}
	}
	for _, right := range slices.Concat(c.Add, c.Change) {
		if err := p.add(right.Category, right.box(), false); err != nil {
			return err
		}
	}
	return nil
}

// same forgives what is lost by writing a box with one decimal.
func same(a, b Box) bool {
	const most = 0.06 // pixels
	return math.Abs(a.X-b.X) < most && math.Abs(a.Y-b.Y) < most &&
		math.Abs(a.Width-b.Width) < most && math.Abs(a.Height-b.Height) < most
}
