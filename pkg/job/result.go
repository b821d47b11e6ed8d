package job

import "time"

// Label is what the detector says of a face. It is an open enum: readers must
// accept labels they do not know.
type Label string

// The labels.
const (
	LabelMasked    Label = "masked"
	LabelUnmasked  Label = "unmasked"
	LabelIncorrect Label = "incorrect" // worn, but not over mouth and nose; counts as unmasked
)

// Box is a rectangle in pixels of the upright photo, min inclusive, max exclusive.
type Box struct {
	XMin int `json:"x_min"`
	YMin int `json:"y_min"`
	XMax int `json:"x_max"`
	YMax int `json:"y_max"`
}

// Face is one detection.
type Face struct {
	Label      Label   `json:"label"`
	Confidence float64 `json:"confidence"` // 0 to 1
	Box        Box     `json:"box"`
}

// Model names the detector that made a result.
type Model struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Timing says where the time went, from the acceptance to the finish.
type Timing struct {
	Queued    time.Duration `json:"queued"`
	Fetch     time.Duration `json:"fetch"`
	Inference time.Duration `json:"inference"` // decode, detect, draw and encode in the slot
	Total     time.Duration `json:"total"`
}

// Result is what a finished photo has to show.
type Result struct {
	Faces        []Face
	Model        Model
	Timing       Timing
	Width        int // of the upright photo, pixels
	Height       int
	AnnotatedKey string
	ThumbnailKey string
	// OriginalKey, ContentType, Bytes and SHA256 are set only when the worker
	// fetched the photo from a link and stored it.
	OriginalKey string
	ContentType string
	Bytes       int64
	SHA256      string
}

// Counts are the numbers a person asks for first. Masked + Unmasked = Faces.
type Counts struct {
	Faces    int
	Masked   int
	Unmasked int
}

// Count counts faces; every face that is not properly masked is unmasked.
func Count(faces []Face) Counts {
	c := Counts{Faces: len(faces)}
	for _, f := range faces {
		if f.Label == LabelMasked {
			c.Masked++
		}
	}
	c.Unmasked = c.Faces - c.Masked
	return c
}

// Category is the list in which a succeeded photo is shown.
type Category string

// The four lists.
const (
	CategoryNoFaces    Category = "no_faces"
	CategoryAllMasked  Category = "all_masked"
	CategoryNoneMasked Category = "none_masked"
	CategorySomeMasked Category = "some_masked"
)

// Categories lists every category.
func Categories() []Category {
	return []Category{CategoryNoFaces, CategoryAllMasked, CategoryNoneMasked, CategorySomeMasked}
}

// Category sorts a photo into its list. Nothing else in the product decides this.
func (c Counts) Category() Category {
	switch {
	case c.Faces == 0:
		return CategoryNoFaces
	case c.Masked == c.Faces:
		return CategoryAllMasked
	case c.Masked == 0:
		return CategoryNoneMasked
	default:
		return CategorySomeMasked
	}
}
