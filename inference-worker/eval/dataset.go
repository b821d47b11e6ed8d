package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"maskfleet/pkg/job"
)

// ErrNoDataSet means that there is no folder, or none with boxes in it.
var ErrNoDataSet = errors.New("no data set")

// ErrOtherData means that corrections or tags are of none of these photos.
var ErrOtherData = errors.New("made for other photos, none of these")

// annotationsFile is the name of the file with the boxes in a data set's folder.
const annotationsFile = "annotations.json"

// Truth is a face as a person boxed it.
type Truth struct {
	Class job.Label
	Box   Box
}

// Photo is a photo with its boxes.
type Photo struct {
	FileName string // below the data set's folder
	Width    int    // of the upright photo, pixels
	Height   int
	Faces    []Truth
	Ignored  []Box  // regions where faces are known to be unboxed
	Tags     []Tags // of faces that have any
}

func (p Photo) boxesOf(class job.Label) []Box {
	var boxes []Box
	belongs := ofClass(class)
	for _, face := range p.Faces {
		if belongs(face.Class) {
			boxes = append(boxes, face.Box)
		}
	}
	return boxes
}

// DataSet is one split of a folder of photos.
type DataSet struct {
	Dir    string
	Split  string // "" for all photos
	Photos []Photo
	names  map[job.Label]string // as the data set calls our classes
}

// Name is what the data set calls the class; our own word if it knows none.
func (s DataSet) Name(class job.Label) string {
	if name, ok := s.names[class]; ok {
		return name
	}
	return string(class)
}

// Path is where the photo lies.
func (s DataSet) Path(p Photo) string { return filepath.Join(s.Dir, filepath.FromSlash(p.FileName)) }

// kind says what a category's name means: a class, a region to be ignored, or neither.
func kind(category string) (class job.Label, ignored, known bool) {
	name := strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(category))
	switch {
	case name == "ignore" || name == "ignored":
		return "", true, true
	case name == "mask" || name == "masked" || name == "with_mask":
		return job.LabelMasked, false, true
	case name == "no_mask" || name == "unmasked" || name == "without_mask":
		return job.LabelUnmasked, false, true
	case strings.HasPrefix(name, "incorrect") || strings.HasSuffix(name, "incorrect") || strings.HasSuffix(name, "incorrectly"):
		return job.LabelIncorrect, false, true
	default:
		return "", false, false
	}
}

// The file as COCO has it, as far as it is read.
type coco struct {
	Images []struct {
		ID       int64  `json:"id"`
		FileName string `json:"file_name"`
		Width    int    `json:"width"`
		Height   int    `json:"height"`
		Split    string `json:"split"`
	} `json:"images"`
	Annotations []struct {
		ID         int64      `json:"id"`
		ImageID    int64      `json:"image_id"`
		CategoryID int64      `json:"category_id"`
		Box        [4]float64 `json:"bbox"`
		Crowd      int        `json:"iscrowd"`
	} `json:"annotations"`
	Categories []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	} `json:"categories"`
}

// OpenDataSet reads a split of the folder's boxes; the split "" is all photos. What
// is wrong with the boxes is an error that names the photo or the annotation.
func OpenDataSet(dir, split string) (DataSet, error) {
	path := filepath.Join(dir, annotationsFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return DataSet{}, fmt.Errorf("%w in %s: it has no %s", ErrNoDataSet, dir, annotationsFile)
	} else if err != nil {
		return DataSet{}, fmt.Errorf("reading the data set: %w", err)
	}
	var file coco
	if err := json.Unmarshal(text, &file); err != nil {
		return DataSet{}, fmt.Errorf("reading %s: %w", path, err)
	}
	set := DataSet{Dir: dir, Split: split, names: make(map[job.Label]string)}
	if set.Photos, err = file.photos(split, set.names); err != nil {
		return DataSet{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return set, nil
}

func (c coco) photos(split string, names map[job.Label]string) ([]Photo, error) {
	categories, err := c.categories(names)
	if err != nil {
		return nil, err
	}
	all, err := c.images()
	if err != nil {
		return nil, err
	}
	for _, a := range c.Annotations {
		photo, ok := all[a.ImageID]
		if !ok {
			return nil, fmt.Errorf("annotation %d belongs to image %d, which is not listed", a.ID, a.ImageID)
		}
		category, ok := categories[a.CategoryID]
		if !ok {
			return nil, fmt.Errorf("annotation %d has category %d, which is not listed", a.ID, a.CategoryID)
		}
		box := Box{a.Box[0], a.Box[1], a.Box[2], a.Box[3]}
		if err := photo.add(category, box, a.Crowd != 0); err != nil {
			return nil, fmt.Errorf("annotation %d: %w", a.ID, err)
		}
	}
	var photos []Photo
	var splits []string
	for _, image := range c.Images {
		if split == "" || image.Split == split {
			photos = append(photos, *all[image.ID])
		}
		splits = append(splits, image.Split)
	}
	if len(photos) == 0 {
		slices.Sort(splits)
		return nil, fmt.Errorf("no photo is in split %q; there are %q", split, slices.Compact(splits))
	}
	return photos, nil
}

// categories gives the names by their numbers, and fills names by our classes.
func (c coco) categories(names map[job.Label]string) (map[int64]string, error) {
	byID := make(map[int64]string)
	for _, category := range c.Categories {
		class, ignored, known := kind(category.Name)
		if !known {
			return nil, fmt.Errorf("category %q is none of mask, no_mask, incorrect and ignore", category.Name)
		}
		if other, twice := byID[category.ID]; twice {
			return nil, fmt.Errorf("categories %q and %q have the same id", other, category.Name)
		}
		if other, twice := names[class]; twice && !ignored {
			return nil, fmt.Errorf("categories %q and %q mean the same", other, category.Name)
		}
		byID[category.ID] = category.Name
		if !ignored {
			names[class] = category.Name
		}
	}
	return byID, nil
}

func (c coco) images() (map[int64]*Photo, error) {
	byID := make(map[int64]*Photo)
	for _, image := range c.Images {
		switch {
		case byID[image.ID] != nil:
			return nil, fmt.Errorf("image %d is listed twice", image.ID)
		case !filepath.IsLocal(filepath.FromSlash(image.FileName)):
			return nil, fmt.Errorf("image %d: the file %q is not below the folder", image.ID, image.FileName)
		case image.Width <= 0 || image.Height <= 0:
			return nil, fmt.Errorf("image %d: its size is %d x %d", image.ID, image.Width, image.Height)
		}
		byID[image.ID] = &Photo{FileName: image.FileName, Width: image.Width, Height: image.Height}
	}
	return byID, nil
}

// add puts a box into the photo; a crowd is a region to be ignored, whatever it is of.
func (p *Photo) add(category string, box Box, crowd bool) error {
	class, ignored, known := kind(category)
	switch {
	case !known:
		return fmt.Errorf("%s: category %q is none of mask, no_mask, incorrect and ignore", p.FileName, category)
	case box.Width <= 0 || box.Height <= 0:
		return fmt.Errorf("%s: the box %v has no area", p.FileName, box)
	case box.overlap(Box{0, 0, float64(p.Width), float64(p.Height)}) == 0:
		return fmt.Errorf("%s: the box %v lies outside the photo", p.FileName, box)
	case ignored || crowd:
		p.Ignored = append(p.Ignored, box)
	default:
		p.Faces = append(p.Faces, Truth{class, box})
	}
	return nil
}
