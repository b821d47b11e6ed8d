package eval

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/job"
)

// lookUp follows a path such as "recall_by_size.1.recall".
func lookUp(object any, path string) (any, bool) {
	for name := range strings.SplitSeq(path, ".") {
		switch o := object.(type) {
		case map[string]any:
			next, found := o[name]
			if !found {
				return nil, false
			}
			object = next
		case []any:
			at, err := strconv.Atoi(name)
			if err != nil || at >= len(o) {
				return nil, false
			}
			object = o[at]
		default:
			return nil, false
		}
	}
	return object, true
}

func folder(t *testing.T, annotations string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, annotationsFile), []byte(annotations), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

const good = `{"info": {},
	"categories": [{"id": 7, "name": "With-Mask"}, {"id": 1, "name": "no_mask"}, {"id": 2, "name": "mask_weared_incorrect"}, {"id": 3, "name": "ignore"}],
	"images": [
		{"id": 5, "file_name": "x/a.jpg", "width": 100, "height": 50, "split": "test"},
		{"id": 6, "file_name": "x/b.jpg", "width": 100, "height": 50, "split": "train"}],
	"annotations": [
		{"id": 1, "image_id": 5, "category_id": 7, "bbox": [1, 2, 3, 4]},
		{"id": 2, "image_id": 5, "category_id": 2, "bbox": [10, 2, 3, 4.5]},
		{"id": 3, "image_id": 5, "category_id": 3, "bbox": [20, 2, 3, 4], "iscrowd": 1},
		{"id": 4, "image_id": 5, "category_id": 1, "bbox": [30, 2, 3, 4], "iscrowd": 1},
		{"id": 5, "image_id": 6, "category_id": 1, "bbox": [1, 2, 3, 4]}]}`

func TestOpenDataSet(t *testing.T) {
	t.Parallel()
	set, err := OpenDataSet(folder(t, good), "test")
	if err != nil {
		t.Fatal(err)
	}
	want := []Photo{{
		FileName: "x/a.jpg", Width: 100, Height: 50,
		Faces:   []Truth{{masked, Box{1, 2, 3, 4}}, {incorrect, Box{10, 2, 3, 4.5}}},
		Ignored: []Box{{20, 2, 3, 4}, {30, 2, 3, 4}},
	}}
	if diff := cmp.Diff(want, set.Photos); diff != "" {
		t.Errorf("photos (-want +got):\n%s", diff)
	}
	for class, want := range map[job.Label]string{masked: "With-Mask", unmasked: "no_mask", incorrect: "mask_weared_incorrect", "visor": "visor"} {
		if got := set.Name(class); got != want {
			t.Errorf("name of %s: got %q, want %q", class, got, want)
		}
	}
	all, err := OpenDataSet(set.Dir, "")
	if err != nil || len(all.Photos) != 2 {
		t.Errorf("all photos: got %d, %v", len(all.Photos), err)
	}
}

func TestOpenDataSetSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ from, to, want string }{
		"no JSON":               {good, "{", "unexpected end"},
		"an unknown category":   {`"no_mask"`, `"cat"`, `category "cat" is none of`},
		"two names for one":     {`"no_mask"`, `"masked"`, "mean the same"},
		"one id for two":        {`{"id": 1, "name"`, `{"id": 7, "name"`, "the same id"},
		"a photo twice":         {`{"id": 6`, `{"id": 5`, "image 5 is listed twice"},
		"a file outside":        {`x/a.jpg`, `../a.jpg`, "not below the folder"},
		"a photo without size":  {`"width": 100`, `"width": 0`, "its size is 0 x 50"},
		"an unknown photo":      {`"image_id": 6`, `"image_id": 60`, "annotation 5 belongs to image 60"},
		"an undeclared class":   {`"category_id": 7`, `"category_id": 70`, "annotation 1 has category 70"},
		"an empty box":          {`[1, 2, 3, 4]`, `[1, 2, 0, 4]`, "annotation 1: x/a.jpg: the box {1 2 0 4} has no area"},
		"a box outside":         {`[1, 2, 3, 4]`, `[100, 2, 3, 4]`, "outside the photo"},
		"a box of three values": {`[1, 2, 3, 4]`, `"1 2 3 4"`, "cannot unmarshal"},
		"an unknown split":      {`"split": "test"`, `"split": "val"`, `no photo is in split "test"; there are ["train" "val"]`},
	}
	for name, c := range cases {
		_, err := OpenDataSet(folder(t, strings.Replace(good, c.from, c.to, 1)), "test")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
	if _, err := OpenDataSet(filepath.Join(t.TempDir(), "none"), "test"); !errors.Is(err, ErrNoDataSet) {
		t.Errorf("no folder: got %v, want ErrNoDataSet", err)
	}
}

func TestCorrect(t *testing.T) {
	t.Parallel()
	set, err := OpenDataSet(folder(t, good), "test")
	if err != nil {
		t.Fatal(err)
	}
	list, err := ReadCorrections([]byte(`[
		{"file_name": "x/a.jpg", "reason": "one", "add": [{"category": "mask", "bbox": [50, 2, 3, 4]}, {"category": "ignore", "bbox": [60, 2, 3, 4]}],
			"remove": [{"bbox": [1, 2, 3, 4]}]},
		{"file_name": "x/a.jpg", "reason": "two", "change": [{"category": "no_mask", "bbox": [10, 2, 3, 4.55]}]},
		{"file_name": "x/b.jpg", "reason": "in another split", "remove": [{"bbox": [9, 9, 9, 9]}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	got, boxes, err := set.Correct(list)
	if err != nil || boxes != 4 {
		t.Fatalf("got %d boxes, %v, want 4", boxes, err)
	}
	want := Photo{
		FileName: "x/a.jpg", Width: 100, Height: 50,
		Faces:   []Truth{{masked, Box{50, 2, 3, 4}}, {unmasked, Box{10, 2, 3, 4.55}}},
		Ignored: []Box{{20, 2, 3, 4}, {30, 2, 3, 4}, {60, 2, 3, 4}},
	}
	if diff := cmp.Diff(want, got.Photos[0]); diff != "" {
		t.Errorf("corrected (-want +got):\n%s", diff)
	}
	if len(set.Photos[0].Faces) != 2 || set.Photos[0].Faces[0].Class != masked {
		t.Errorf("the data set itself was changed: %+v", set.Photos[0])
	}
}

func TestCorrectRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	set, err := OpenDataSet(folder(t, good), "test")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := []Correction{{Box: [4]float64{9, 9, 9, 9}}}
	if _, _, err := set.Correct([]Corrected{{FileName: "other.jpg", Reason: "r", Remove: nowhere}}); !errors.Is(err, ErrOtherData) {
		t.Errorf("no photo of the split: got %v, want ErrOtherData", err)
	}
	_, _, err = set.Correct([]Corrected{{FileName: "x/a.jpg", Reason: "r", Remove: nowhere}})
	if err == nil || errors.Is(err, ErrOtherData) || !strings.Contains(err.Error(), "x/a.jpg: it has no box [9 9 9 9]") {
		t.Errorf("a box that is not there: got %v", err)
	}
	for name, text := range map[string]string{
		"no reason":          `[{"file_name": "a", "remove": [{"bbox": [1, 2, 3, 4]}]}]`,
		"no boxes":           `[{"file_name": "a", "reason": "r"}]`,
		"a misspelt field":   `[{"file_name": "a", "reason": "r", "delete": []}]`,
		"a box without four": `[{"file_name": "a", "reason": "r", "remove": [{"bbox": "1"}]}]`,
	} {
		if _, err := ReadCorrections([]byte(text)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestOwnCorrectionsAreFew: they mend evident faults and must not become a second
// opinion on the data.
func TestOwnCorrectionsAreFew(t *testing.T) {
	t.Parallel()
	list, err := OwnCorrections()
	if err != nil {
		t.Fatal(err)
	}
	boxes := 0
	for _, c := range list {
		boxes += len(c.Add) + len(c.Remove) + len(c.Change)
		for _, added := range append(c.Add, c.Change...) {
			if _, _, known := kind(added.Category); !known {
				t.Errorf("%s: the category %q means nothing", c.FileName, added.Category)
			}
		}
	}
	if boxes == 0 || boxes > 36 {
		t.Errorf("%d boxes are corrected", boxes)
	}
}
