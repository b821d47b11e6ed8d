package vision

import (
	"image"
	"math"
	"slices"
)

const (
	// maxTiles bounds what one photo may cost. Where more would be needed the tiles
	// are larger, and scaled down to what the network sees at once.
	maxTiles = 12
	// tilesFrom is how many times as large as the network's input a photo must be:
	// below it the photo as a whole shows as much.
	tilesFrom = 1.5
	// tileOverlap is the share of a tile that its neighbour shows too. A face of up to
	// about this size is seen whole in one of them, a larger one in the whole photo.
	tileOverlap = 0.25
	// cutMargin is the share of a tile within which a box counts as touching its border.
	cutMargin = 0.02
)

// tilesOf covers a picture with overlapping tiles of the input's shape, each of at
// least its size, row by row. None where the whole picture shows as much.
func tilesOf(picture, input image.Point) []image.Rectangle {
	if float64(longest(picture)) < tilesFrom*float64(longest(input)) {
		return nil
	}
	tile := image.Pt(min(input.X, picture.X), min(input.Y, picture.Y))
	for factor := 1.0; len(starts(picture.X, tile.X))*len(starts(picture.Y, tile.Y)) > maxTiles; {
		factor *= 1.05
		tile = image.Pt(min(int(float64(input.X)*factor), picture.X), min(int(float64(input.Y)*factor), picture.Y))
	}
	var tiles []image.Rectangle
	for _, y := range starts(picture.Y, tile.Y) {
		for _, x := range starts(picture.X, tile.X) {
			tiles = append(tiles, image.Rectangle{Min: image.Pt(x, y), Max: image.Pt(x, y).Add(tile)})
		}
	}
	return tiles
}

// starts spreads tiles of a length evenly over a side, each overlapping the next.
func starts(side, length int) []int {
	step := float64(length) * (1 - tileOverlap)
	last := int(math.Ceil(float64(side-length) / step))
	at := []int{0}
	for i := 1; i <= last; i++ {
		at = append(at, (side-length)*i/last)
	}
	return at
}

// seeTiles looks at the picture tile by tile, one at a time in memory, and gives what
// each showed whole.
func (m *model) seeTiles(p photo, tiles []image.Rectangle, clock *clock) ([][]box, error) {
	var seen [][]box
	for _, tile := range tiles {
		found, err := m.seeTile(p, tile, clock)
		if err != nil {
			return nil, err
		}
		seen = append(seen, found)
	}
	return seen, nil
}

func (m *model) seeTile(p photo, tile image.Rectangle, clock *clock) ([]box, error) {
	pixels := p.pixels.Region(tile)
	defer pixels.Close()
	fitted := m.input.fit(pixels)
	defer fitted.canvas.Close()
	clock.charge(&clock.steps.Prepare)
	part := p.partOf(tile)
	found, err := m.see(fitted, part, clock)
	if err != nil {
		return nil, err
	}
	faces := m.judge(withoutCut(found, part, p.whole()), part.longest())
	clock.charge(&clock.steps.Boxes)
	return faces, nil
}

// partOf is where a part of the decoded pixels lies in the photo.
func (p photo) partOf(pixels image.Rectangle) area {
	across := float64(p.size.X) / float64(p.pixels.Cols())
	down := float64(p.size.Y) / float64(p.pixels.Rows())
	return area{
		left: float64(pixels.Min.X) * across, right: float64(pixels.Max.X) * across,
		top: float64(pixels.Min.Y) * down, bottom: float64(pixels.Max.Y) * down,
	}
}

// withoutCut drops the boxes that touch a border of the tile which is not one of the
// photo's: of such a face the tile shows a part only.
func withoutCut(found []box, tile, photo area) []box {
	across, down := cutMargin*tile.width(), cutMargin*tile.height()
	return slices.DeleteFunc(found, func(b box) bool {
		return (tile.left > photo.left && b.left < tile.left+across) ||
			(tile.right < photo.right && b.right > tile.right-across) ||
			(tile.top > photo.top && b.top < tile.top+down) ||
			(tile.bottom < photo.bottom && b.bottom > tile.bottom-down)
	})
}

// merge makes one list of what the whole photo, the first view, and its tiles showed.
// Part of a face that one of them took for a face is dropped where another shows the
// whole of it. No tile shows a face with a side of large pixels for certain.
// What a user sees decides about the rest: a box that is there only because a
// measurement asked for unsure ones takes no sure one away.
func merge(views [][]box, sure func(box) bool, large, maxOverlap float64) []box {
	counts, others := make([][]box, len(views)), make([][]box, len(views))
	for i, view := range views {
		for _, b := range view {
			if sure(b) {
				counts[i] = append(counts[i], b)
			} else {
				others[i] = append(others[i], b)
			}
		}
	}
	faces := suppressOverlaps(withoutParts(counts, counts, large), maxOverlap)
	unsure := slices.DeleteFunc(withoutParts(others, counts, large), func(b box) bool { return overlapsAny(&b, faces, maxOverlap) })
	return append(faces, suppressOverlaps(unsure, maxOverlap)...)
}

func withoutParts(views, among [][]box, large float64) []box {
	var all []box
	for i, view := range views {
		for _, b := range view {
			if !isPart(b, i, among, large) {
				all = append(all, b)
			}
		}
	}
	return all
}

// isPart says whether another view has a box that holds most of b and is larger. If it
// is far larger, b may well be another face, before or behind it, unless it is so large
// that the tiles are full of its parts.
func isPart(b box, view int, views [][]box, large float64) bool {
	const most, larger, farLarger = 0.75, 1.3, 4
	for i, other := range views {
		if i == view {
			continue
		}
		if slices.ContainsFunc(other, func(o box) bool {
			related := o.area() < farLarger*b.area() || (i == 0 && o.longest() >= large)
			return related && o.area() > larger*b.area() && common(&o, &b) > most*b.area()
		}) {
			return true
		}
	}
	return false
}
