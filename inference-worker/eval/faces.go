package eval

import (
	"maskfleet/pkg/job"
)

// Fate is what became of a face: the class it was given, or missed.
type Fate = job.Label

const missed Fate = "missed"

// fates are in the order in which they are shown.
func fates() []Fate { return append(classes(), missed) }

// Confusion counts faces by what they are, then by what they are called.
type Confusion map[job.Label]map[Fate]int

// newConfusion has a count for every class and fate: nothing seen is 0, not left out.
func newConfusion() Confusion {
	c := make(Confusion)
	for _, class := range classes() {
		c[class] = make(map[Fate]int)
		for _, called := range fates() {
			c[class][called] = 0
		}
	}
	return c
}

// SizeRecall says how many faces of a size are found, whatever they are called. A
// face's size is the side of a square as large as its box, over the photo's longer
// side.
type SizeRecall struct {
	Name   string  `json:"name"`
	From   float64 `json:"from"` // share of the longer side
	To     float64 `json:"to"`
	Faces  int     `json:"faces"`
	Found  int     `json:"found"`
	Recall Number  `json:"recall"`
}

// sizes are the bounds in use in the field's figures of this problem.
func sizes() []SizeRecall {
	return []SizeRecall{
		{Name: "below 3 %", From: 0, To: 0.03},
		{Name: "3 to 6 %", From: 0.03, To: 0.06},
		{Name: "6 to 12 %", From: 0.06, To: 0.12},
		{Name: "above 12 %", From: 0.12, To: 1},
	}
}

// faceByFace is a photo's faces and detections, matched whatever their classes.
type faceByFace struct {
	detections []Detection // surest first
	matches    []int       // of the detections: a face, spurious or excused
	fates      []Fate      // of the faces
}

func compareFaces(photo Photo, found []Detection) faceByFace {
	all := faceByFace{detections: surestFirst(found, func(Detection) bool { return true })}
	all.matches = match(photo.boxesOf(anyFace), photo.Ignored, all.detections, looseIoU)
	all.fates = make([]Fate, len(photo.Faces))
	for i := range all.fates {
		all.fates[i] = missed
	}
	for i, matched := range all.matches {
		if matched >= 0 {
			all.fates[matched] = all.detections[i].Class
		}
	}
	return all
}

// counted gives the detections that are right or wrong, not those in regions to be
// ignored.
func (c faceByFace) counted() []job.Face {
	var faces []job.Face
	for i, d := range c.detections {
		if c.matches[i] != excused {
			faces = append(faces, job.Face{Label: d.Class})
		}
	}
	return faces
}

// addFaceByFace counts which classes are taken for which, and what is found by size.
func (f *Figures) addFaceByFace(photos []Photo, found [][]Detection) {
	f.Sizes, f.Spurious = sizes(), make(map[job.Label]int)
	f.Confusion, f.Tagged = newConfusion(), make(map[string]Confusion)
	for _, class := range classes() {
		f.Spurious[class] = 0
	}
	for i, photo := range photos {
		compared := compareFaces(photo, found[i])
		for at, face := range photo.Faces {
			f.Confusion[face.Class][compared.fates[at]]++
			f.addSize(photo, face, compared.fates[at])
			f.addTags(photo.tagsOf(face), face, compared.fates[at])
		}
		for at, matched := range compared.matches {
			if matched == spurious {
				f.Spurious[compared.detections[at].Class]++
			}
		}
	}
	for i, s := range f.Sizes {
		f.Sizes[i].Recall = share(s.Found, s.Faces)
	}
	masked := f.Confusion[job.LabelMasked]
	f.MaskedCalledUnmasked = outOf(masked[job.LabelUnmasked], f.Faces[job.LabelMasked]-masked[missed])
}

func (f *Figures) addSize(photo Photo, face Truth, fate Fate) {
	size := face.Box.side() / float64(max(photo.Width, photo.Height))
	for i := range f.Sizes {
		s := &f.Sizes[i]
		if last := i == len(f.Sizes)-1; size < s.To || last {
			s.Faces++
			if fate != missed {
				s.Found++
			}
			return
		}
	}
}

func (f *Figures) addTags(tags []string, face Truth, fate Fate) {
	for _, tag := range tags {
		if f.Tagged[tag] == nil {
			f.Tagged[tag] = newConfusion()
		}
		f.Tagged[tag][face.Class][fate]++
	}
}
