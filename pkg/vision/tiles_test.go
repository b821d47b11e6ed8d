package vision

import (
	"image"
	"testing"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/job"
	"maskfleet/pkg/vision/visiontest"
	"maskfleet/pkg/visionconfig"
)

func TestTilesOfCoversThePicture(t *testing.T) {
	t.Parallel()
	input := image.Pt(640, 640)
	for name, c := range map[string]struct {
		picture image.Point
		tiles   int // 0: none are needed
	}{
		"small":          {image.Pt(640, 480), 0},
		"little larger":  {image.Pt(959, 700), 0},
		"twice":          {image.Pt(1280, 960), 6},
		"reduced":        {image.Pt(2016, 1512), 12},
		"whole and huge": {image.Pt(8192, 4882), 12},
		"long and thin":  {image.Pt(8192, 32), 12},
		"tall":           {image.Pt(700, 1400), 6},
	} {
		tiles := tilesOf(c.picture, input)
		if len(tiles) > c.tiles || (len(tiles) == 0) != (c.tiles == 0) {
			t.Errorf("%s: %d tiles, want at most %d", name, len(tiles), c.tiles)
		}
		for i, tile := range tiles {
			if !tile.In(image.Rectangle{Max: c.picture}) || tile.Size() != tiles[0].Size() {
				t.Errorf("%s: tile %d is %v", name, i, tile)
			}
		}
		if len(tiles) > 0 && (tiles[0].Min != image.Point{} || tiles[len(tiles)-1].Max != c.picture) {
			t.Errorf("%s: from %v to %v", name, tiles[0], tiles[len(tiles)-1])
		}
	}
}

func TestTilesOverlap(t *testing.T) {
	t.Parallel()
	for side := 640; side < 5000; side += 7 {
		at := starts(side, 640)
		for i := 1; i < len(at); i++ {
			if shared := at[i-1] + 640 - at[i]; shared < 160 {
				t.Fatalf("of %d pixels the tiles %v share %d", side, at, shared)
			}
		}
		if at[len(at)-1]+640 != side {
			t.Fatalf("of %d pixels the last tile begins at %d", side, at[len(at)-1])
		}
	}
}

func TestWithoutCut(t *testing.T) {
	t.Parallel()
	photo := area{right: 1000, bottom: 1000}
	tile := area{left: 0, top: 250, right: 500, bottom: 750}
	whole := box{left: 100, top: 300, right: 200, bottom: 400}
	atThePhotosEdge := box{left: -5, top: 300, right: 60, bottom: 400}
	got := withoutCut([]box{
		whole,
		atThePhotosEdge,
		{left: 450, top: 300, right: 500, bottom: 400},
		{left: 450, top: 300, right: 530, bottom: 400}, // guessed beyond the border
		{left: 100, top: 252, right: 200, bottom: 330},
		{left: 100, top: 700, right: 200, bottom: 749},
	}, tile, photo)
	if diff := cmp.Diff([]box{whole, atThePhotosEdge}, got, cmp.AllowUnexported(box{})); diff != "" {
		t.Errorf("boxes (-want +got):\n%s", diff)
	}
}

func TestMergeGivesEachFaceOnce(t *testing.T) {
	t.Parallel()
	whole := box{score: 0.6, left: 100, top: 100, right: 200, bottom: 220}
	better := box{score: 0.8, left: 102, top: 98, right: 203, bottom: 222}
	half := box{score: 0.9, left: 100, top: 100, right: 150, bottom: 220} // the surest of all
	behind := box{score: 0.7, left: 175, top: 100, right: 205, bottom: 130}
	small := box{score: 0.5, left: 400, top: 100, right: 420, bottom: 125}
	large := box{score: 0.4, left: 500, top: 100, right: 1000, bottom: 600}
	eye := box{score: 0.9, left: 600, top: 200, right: 650, bottom: 220}
	everything := func(box) bool { return true }
	got := merge([][]box{{whole, large}, {half, small}, {better, behind, eye}}, everything, 160, 0.5)
	if diff := cmp.Diff([]box{better, behind, small, large}, got, cmp.AllowUnexported(box{})); diff != "" {
		t.Errorf("boxes (-want +got):\n%s", diff)
	}
}

// A measurement that asks for unsure boxes, too, must find all that a user would see.
func TestUnsureBoxesTakeNoFaceAway(t *testing.T) {
	t.Parallel()
	face := box{score: 0.6, confidence: 0.6, left: 100, top: 100, right: 200, bottom: 220}
	around := box{score: 0.7, confidence: 0.01, left: 90, top: 80, right: 230, bottom: 240} // of most of the face
	again := box{score: 0.9, confidence: 0.02, left: 102, top: 98, right: 203, bottom: 222}
	elsewhere := box{score: 0.2, confidence: 0.1, left: 400, top: 100, right: 420, bottom: 125}
	sure := func(b box) bool { return b.confidence >= 0.3 }
	got := merge([][]box{{around, elsewhere}, {face}, {again}}, sure, 160, 0.5)
	if diff := cmp.Diff([]box{face, elsewhere}, got, cmp.AllowUnexported(box{})); diff != "" {
		t.Errorf("boxes (-want +got):\n%s", diff)
	}
}

// firstModel is the network that this project began with. What is tested of tiles and
// edges is not to change with the weights, and drawn faces are strange to some.
const firstModel = "testdata/first"

// crowd are many small faces on a large canvas, some of them where tiles meet.
func crowd() []visiontest.Face {
	var faces []visiontest.Face
	for y := 150; y < 1400; y += 300 {
		for x := 150; x < 1900; x += 260 {
			faces = append(faces, visiontest.Face{Centre: image.Pt(x, y), Radius: 10, Masked: true})
		}
	}
	return faces
}

func TestTilesFindSmallFaces(t *testing.T) {
	t.Parallel()
	photo := visiontest.JPEG(1920, 1440, crowd()...)
	found := func(tiles visionconfig.Tiles) []Face {
		got, err := newDetectorOf(t, Config{ModelFolder: firstModel, WorkingPoint: visionconfig.Accurate, Tiles: tiles}).Detect(photo)
		if err != nil {
			t.Fatal(err)
		}
		return got.Faces
	}
	once := func(faces []Face) (n int) {
		for _, drawn := range crowd() {
			on := 0
			for _, f := range faces {
				if c := drawn.Centre; f.Left < float64(c.X) && float64(c.X) < f.Right && f.Top < float64(c.Y) && float64(c.Y) < f.Bottom {
					on++
				}
			}
			if on == 1 {
				n++
			}
		}
		return n
	}
	without, with := found(visionconfig.TilesOff), found(visionconfig.TilesAuto)
	t.Logf("%d faces drawn; without tiles %d found, %d once; with tiles %d found, %d once",
		len(crowd()), len(without), once(without), len(with), once(with))
	if once(without) > len(crowd())/4 {
		t.Errorf("%d of %d faces were found without tiles: they show nothing", once(without), len(crowd()))
	}
	if once(with) < len(crowd())*9/10 || len(with) > len(crowd())+1 {
		t.Errorf("%d boxes with tiles, %d of %d faces once", len(with), once(with), len(crowd()))
	}
}

// Where there are no tiles, that they are allowed changes nothing.
func TestTilesLeaveSmallPhotosAsTheyAre(t *testing.T) {
	t.Parallel()
	photo := visiontest.JPEG(640, 480,
		visiontest.Face{Centre: image.Pt(200, 240), Radius: 60, Masked: true},
		visiontest.Face{Centre: image.Pt(260, 240), Radius: 60}, // half behind it
	)
	detect := func(tiles visionconfig.Tiles) []Face {
		cfg := Config{WorkingPoint: visionconfig.Accurate, Tiles: tiles, LeastConfidence: 0.01} // more boxes to compare
		got, err := newDetectorOf(t, cfg).Detect(photo)
		if err != nil {
			t.Fatal(err)
		}
		return got.Faces
	}
	off := detect(visionconfig.TilesOff)
	if diff := cmp.Diff(off, detect(visionconfig.TilesAuto)); diff != "" || len(off) == 0 {
		t.Errorf("%d faces (-off +auto):\n%s", len(off), diff)
	}
}

// A face that fills a quarter of the photo lies in many tiles and is none of theirs.
func TestTilesLeaveLargeFacesWhole(t *testing.T) {
	t.Parallel()
	d := newDetectorOf(t, Config{ModelFolder: firstModel, WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesAuto})
	for _, centre := range []image.Point{{X: 960, Y: 720}, {X: 640, Y: 480}, {X: 500, Y: 600}} {
		got, err := d.Analyze(visiontest.JPEG(1920, 1440, visiontest.Face{Centre: centre, Radius: 330, Masked: true}))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Faces) != 1 || got.Faces[0].Label != job.LabelMasked || got.Faces[0].Box.XMax-got.Faces[0].Box.XMin < 450 {
			t.Errorf("face at %v: found %+v", centre, got.Faces)
		}
	}
}
