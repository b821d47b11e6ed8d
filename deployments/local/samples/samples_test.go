package samples

import (
	"context"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEnsureMakesEveryPhotoTwiceAndKeepsThem(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "samples")
	paths, err := Ensure(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * len(photos()); len(paths) != want {
		t.Fatalf("made %d photos, want %d", len(paths), want)
	}
	made := make(map[string]time.Time)
	for _, path := range paths {
		made[path] = modified(t, path)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "fetching-*")); len(left) > 0 {
		t.Errorf("npm's folder was left behind: %v", left)
	}

	again, err := Ensure(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(paths, again); diff != "" {
		t.Errorf("the second time gives other paths (-first +second):\n%s", diff)
	}
	for path, before := range made {
		if now := modified(t, path); !now.Equal(before) {
			t.Errorf("%s was made again", path)
		}
	}

	if err := os.Remove(paths[3]); err != nil {
		t.Fatal(err)
	}
	if kept(dir, paths) {
		t.Error("a missing photo would not be made again")
	}
}

func modified(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

func TestEnsureSaysWhatNpmSaid(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Ensure(ctx, filepath.Join(t.TempDir(), "samples"))
	if err == nil || !strings.Contains(err.Error(), "fetching the sample photos") {
		t.Errorf("got %v, want an error that says what was being done", err)
	}
}

func TestMaskHidesNoseToChinAndNothingElse(t *testing.T) {
	t.Parallel()
	plain := color.RGBA{R: 184, G: 135, B: 112, A: 255}
	original := image.NewRGBA(image.Rect(0, 0, 400, 400))
	for y := range 400 {
		for x := range 400 {
			original.SetRGBA(x, y, plain)
		}
	}
	wearer := face{
		bridge: point{200, 180}, upperLeft: point{130, 190}, upperRight: point{270, 190},
		lowerLeft: point{145, 260}, lowerRight: point{255, 260}, chin: point{200, 310},
	}
	masked := putMasks(original, []face{wearer})
	for _, place := range []struct {
		name   string
		at     image.Point
		masked bool
	}{
		{"nose", image.Pt(200, 210), true},
		{"mouth", image.Pt(200, 260), true},
		{"chin", image.Pt(200, 306), true},
		{"cheek", image.Pt(150, 230), true},
		{"eye", image.Pt(165, 165), false},
		{"ear", image.Pt(115, 190), false},
		{"neck", image.Pt(200, 330), false},
	} {
		if got := masked.RGBAAt(place.at.X, place.at.Y) != plain; got != place.masked {
			t.Errorf("mask over the %s: %t, want %t", place.name, got, place.masked)
		}
	}
	if original.RGBAAt(200, 260) != plain {
		t.Error("the original was painted on")
	}
	for y := 195; y < 300; y++ { // a gap in the cloth would show as a pixel of skin
		if masked.RGBAAt(200, y) == plain {
			t.Errorf("the cloth has a gap at y = %d", y)
		}
	}
}
