package eval

import (
	"cmp"
	"fmt"
	"slices"
)

// mistake is a face or a detection that went wrong.
type mistake struct {
	photo  Photo
	at     Box
	what   string
	weight float64 // the higher the worse
}

// mistakes are a run's, the worst first.
type mistakes struct {
	spurious   []mistake // by confidence
	wrongClass []mistake // by confidence
	missed     []mistake // by size
}

func findMistakes(set DataSet, run Run) mistakes {
	var all mistakes
	for i, photo := range set.Photos {
		compared := compareFaces(photo, run.Shipped[i])
		for at, d := range compared.detections {
			what := fmt.Sprintf("%s %.2f", d.Class, d.Score)
			matched := compared.matches[at]
			switch {
			case matched == spurious:
				all.spurious = append(all.spurious, mistake{photo, d.Box, what, d.Score})
			case matched >= 0 && photo.Faces[matched].Class != d.Class:
				what += ", is " + string(photo.Faces[matched].Class)
				all.wrongClass = append(all.wrongClass, mistake{photo, d.Box, what, d.Score})
			}
		}
		for at, fate := range compared.fates {
			if face := photo.Faces[at]; fate == missed {
				size := face.Box.side() / float64(max(photo.Width, photo.Height))
				what := fmt.Sprintf("%s, %.1f %%", face.Class, 100*size)
				all.missed = append(all.missed, mistake{photo, face.Box, what, size})
			}
		}
	}
	for _, list := range [][]mistake{all.spurious, all.wrongClass, all.missed} {
		slices.SortStableFunc(list, func(a, b mistake) int { return cmp.Compare(b.weight, a.weight) })
	}
	return all
}
