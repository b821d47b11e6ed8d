package eval

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/draw"

	"maskfleet/pkg/job"
)

func TestJSONIsOneObjectWithAllFigures(t *testing.T) {
	t.Parallel()
	set, run := scene()
	var out bytes.Buffer
	if err := Evaluate(Subject{Set: set}, run, &run).WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var object any
	if err := json.Unmarshal(out.Bytes(), &object); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for path, want := range map[string]any{
		"folder": "photos", "split": "test", "model.name": "m", "model.version": "1",
		"figures.photos": 4.0, "figures.faces.face": 3.0, "figures.ap50.masked": 0.50495, "figures.ap50.unmasked": nil,
		"figures.confusion.masked.unmasked": 1.0, "figures.spurious.masked": 1.0, "figures.categories.accuracy": 0.25,
		"against.figures.photos": 4.0, "cpu_multiple.total.mean": 1.0,
	} {
		if got, found := lookUp(object, path); !found || got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	if _, found := lookUp(object, "corrected"); found {
		t.Error("there are corrected figures without corrections")
	}
}

func TestTextHasEveryFigure(t *testing.T) {
	t.Parallel()
	set, run := scene()
	var out bytes.Buffer
	r := Evaluate(Subject{Set: set}, run, &run)
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	for _, row := range r.Figures.Rows() {
		if !row.Value.Exists() {
			continue // left out: see table
		}
		if !strings.Contains(out.String(), row.What) || !strings.Contains(out.String(), row.Text()) {
			t.Errorf("%s %s is missing in\n%s", row.What, row.Text(), &out)
		}
	}
}

func TestDetectionsUseTheDataSetsWords(t *testing.T) {
	t.Parallel()
	set, run := scene()
	set.names = map[job.Label]string{masked: "mask"}
	var out bytes.Buffer
	if err := WriteDetections(&out, set, run); err != nil {
		t.Fatal(err)
	}
	var got []cocoResult
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []cocoResult{
		{"a.jpg", "mask", 0.9, [4]float64{0, 0, 10, 10}},
		{"a.jpg", "unmasked", 0.8, [4]float64{40, 0, 10, 10}},
		{"a.jpg", "mask", 0.6, [4]float64{80, 80, 10, 10}},
		{"b.jpg", "mask", 0.7, [4]float64{50, 50, 10, 10}},
		{"c.jpg", "unmasked", 0.55, [4]float64{0, 0, 10, 10}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("detections (-want +got):\n%s", diff)
	}
}

func TestReportNeedsNothingBesideIt(t *testing.T) {
	t.Parallel()
	set, run := scene()
	for name, against := range map[string]*Run{"alone": nil, "beside another": &run} {
		var out bytes.Buffer
		if err := Evaluate(Subject{Set: set}, run, against).WriteReport(&out, ""); err != nil {
			t.Fatal(err)
		}
		page := out.String()
		for _, outside := range []string{"http:", "https:", "<script", "<link", "src=", "ZgotmplZ"} {
			if strings.Contains(page, outside) {
				t.Errorf("%s: the page has %q", name, outside)
			}
		}
		if lines := strings.Count(page, "<polyline"); (lines == 6) != (against != nil) {
			t.Errorf("%s: %d curves", name, lines)
		}
	}
}

func TestSheetShowsMistakesWhereTheyAre(t *testing.T) {
	t.Parallel()
	set, run := scene()
	set.Dir = t.TempDir()
	for _, photo := range set.Photos {
		grey := image.NewRGBA(image.Rect(0, 0, photo.Width, photo.Height))
		draw.Draw(grey, grey.Bounds(), image.NewUniform(color.Gray{Y: 200}), image.Point{}, draw.Src)
		var data bytes.Buffer
		if err := png.Encode(&data, grey); err != nil { // by content, not by its name
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(set.Dir, photo.FileName), data.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found := findMistakes(set, run)
	if len(found.spurious) != 2 || len(found.wrongClass) != 1 || len(found.missed) != 1 {
		t.Fatalf("got %d spurious, %d of a wrong class, %d missed", len(found.spurious), len(found.wrongClass), len(found.missed))
	}
	if what := found.wrongClass[0].what; what != "unmasked 0.80, is masked" {
		t.Errorf("a wrong class is called %q", what)
	}
	var out bytes.Buffer
	if err := WriteSheet(&out, set, run); err != nil {
		t.Fatal(err)
	}
	sheet, err := jpeg.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	want := image.Rect(0, 0, tilesAcross*tileSide, 3*(titleSide+tileSide+captionSide))
	if sheet.Bounds() != want {
		t.Errorf("the sheet is %v, want %v", sheet.Bounds(), want)
	}
	// The middle of the first tile is the mistake, drawn on the grey photo.
	if r, _, _, _ := sheet.At(tileSide/2, titleSide+tileSide/2).RGBA(); r>>8 < 180 {
		t.Errorf("the first mistake shows nothing of the photo: %d", r>>8)
	}
	unknown := filepath.Join(set.Dir, found.missed[0].photo.FileName)
	if err := os.WriteFile(unknown, []byte("II*, which the detector reads"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteSheet(&out, set, run); err != nil {
		t.Errorf("a photo that cannot be shown takes the whole sheet away: %v", err)
	}
}
