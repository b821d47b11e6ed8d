package eval

import (
	"maskfleet/pkg/job"
)

// Categories says how many photos come into the list they belong to.
type Categories struct {
	Right    int                                   `json:"right"`
	Photos   int                                   `json:"photos"`
	Accuracy Number                                `json:"accuracy"`
	Matrix   map[job.Category]map[job.Category]int `json:"matrix"` // by what the photo is
}

func categories() []job.Category {
	return []job.Category{job.CategoryAllMasked, job.CategorySomeMasked, job.CategoryNoneMasked, job.CategoryNoFaces}
}

// measureCategories sorts photos by the boxed faces and by the found ones; neither
// counts what lies in regions to be ignored.
func measureCategories(photos []Photo, found [][]Detection) Categories {
	c := Categories{Photos: len(photos), Matrix: make(map[job.Category]map[job.Category]int)}
	for _, category := range categories() {
		c.Matrix[category] = make(map[job.Category]int)
		for _, other := range categories() {
			c.Matrix[category][other] = 0
		}
	}
	for i, photo := range photos {
		var faces []job.Face
		for _, face := range photo.Faces {
			faces = append(faces, job.Face{Label: face.Class})
		}
		is := job.Count(faces).Category()
		called := job.Count(compareFaces(photo, found[i]).counted()).Category()
		c.Matrix[is][called]++
		if is == called {
			c.Right++
		}
	}
	c.Accuracy = share(c.Right, c.Photos)
	return c
}

// falseAlarms counts the photos without faces, in which no region is to be ignored
// either, and those of them where a face is found.
func falseAlarms(photos []Photo, found [][]Detection) OutOf {
	alarms, empty := 0, 0
	for i, photo := range photos {
		if len(photo.Faces)+len(photo.Ignored) > 0 {
			continue
		}
		empty++
		if len(found[i]) > 0 {
			alarms++
		}
	}
	return outOf(alarms, empty)
}

// Bin is what became of detections of about the same confidence: were the model
// calibrated, Right would be Confidence.
type Bin struct {
	From       float64 `json:"from"`
	To         float64 `json:"to"`
	Detections int     `json:"detections"`
	Confidence Number  `json:"mean_confidence"`
	Right      Number  `json:"right"` // share that is a face of that class
}

func calibrate(photos []Photo, found [][]Detection) []Bin {
	const count = 10
	var confidence [count][]float64
	var right [count]int
	for i, photo := range photos {
		compared := compareFaces(photo, found[i])
		for at, d := range compared.detections {
			matched := compared.matches[at]
			if matched == excused {
				continue
			}
			bin := min(int(d.Score*count), count-1)
			confidence[bin] = append(confidence[bin], d.Score)
			if matched >= 0 && photo.Faces[matched].Class == d.Class {
				right[bin]++
			}
		}
	}
	bins := make([]Bin, count)
	for i := range bins {
		n := len(confidence[i])
		bins[i] = Bin{float64(i) / count, float64(i+1) / count, n, mean(confidence[i]), share(right[i], n)}
	}
	return bins
}
