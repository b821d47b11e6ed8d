package eval

import (
	_ "embed" // the tags of our own splits
	"fmt"
	"slices"

	"maskfleet/pkg/strictjson"
)

// Tagged is what a person noticed of the faces of one photo: what no class tells and a
// detector may stumble over, such as a beard.
type Tagged struct {
	FileName string `json:"file_name"`
	Faces    []Tags `json:"faces"`
}

// Tags are those of one face, which is named by its box.
type Tags struct {
	Box  [4]float64 `json:"bbox"`
	Tags []string   `json:"tags"`
}

func (t Tags) box() Box { return Box{t.Box[0], t.Box[1], t.Box[2], t.Box[3]} }

//go:embed tags.json
var ownTags []byte

// OwnTags are those of the data set that the shipped model is measured on.
func OwnTags() ([]Tagged, error) { return ReadTags(ownTags) }

// ReadTags reads a list of photos and the tags of their faces.
func ReadTags(text []byte) ([]Tagged, error) {
	var list []Tagged
	if err := strictjson.Read(text, &list); err != nil {
		return nil, fmt.Errorf("reading the tags: %w", err)
	}
	for _, photo := range list {
		if photo.FileName == "" || len(photo.Faces) == 0 || slices.ContainsFunc(photo.Faces, untagged) {
			return nil, fmt.Errorf("reading the tags: the entry of %q lacks its file, its faces or one's tags", photo.FileName)
		}
		if slices.ContainsFunc(photo.Faces, twice) {
			return nil, fmt.Errorf("reading the tags: the entry of %q has a tag twice, or %s, which needs no entry", photo.FileName, tagCut)
		}
	}
	return list, nil
}

func untagged(face Tags) bool { return len(face.Tags) == 0 || slices.Contains(face.Tags, "") }

// twice says whether the face would be counted more than once under a tag.
func twice(face Tags) bool {
	tags := slices.Sorted(slices.Values(face.Tags))
	return slices.Contains(tags, tagCut) || len(slices.Compact(tags)) < len(face.Tags)
}

// Tag gives the data set with the tags. Those of photos that are not in the split are
// left out; if none is in it, the error is ErrOtherData.
func (s DataSet) Tag(list []Tagged) (DataSet, error) {
	tagged := s
	tagged.Photos = slices.Clone(s.Photos)
	found := false
	for _, of := range list {
		at := slices.IndexFunc(s.Photos, func(p Photo) bool { return p.FileName == of.FileName })
		if at < 0 {
			continue
		}
		found = true
		photo := &tagged.Photos[at]
		for _, face := range of.Faces {
			if !slices.ContainsFunc(photo.Faces, func(t Truth) bool { return same(t.Box, face.box()) }) {
				return DataSet{}, fmt.Errorf("tagging %s: it has no face %v", of.FileName, face.Box)
			}
		}
		photo.Tags = slices.Concat(photo.Tags, of.Faces)
	}
	if !found {
		return DataSet{}, fmt.Errorf("tagging the faces: %w", ErrOtherData)
	}
	return tagged, nil
}

// tagCut is the tag that no person gives: the photo's border cuts the face, or touches it.
const tagCut = "cut"

// tagsOf are a face's; found by its box, so that a corrected class does not lose them.
func (p Photo) tagsOf(face Truth) []string {
	var all []string
	for _, tags := range p.Tags {
		if same(tags.box(), face.Box) {
			all = append(all, tags.Tags...)
		}
	}
	const near = 1 // pixel: people box what they see
	b := face.Box
	if min(b.X, b.Y, float64(p.Width)-b.X-b.Width, float64(p.Height)-b.Y-b.Height) <= near {
		all = append(all, tagCut)
	}
	return all
}
