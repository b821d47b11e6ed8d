package eval

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiguresOfTaggedFaces(t *testing.T) {
	t.Parallel()
	set, run := scene()
	list, err := ReadTags([]byte(`[
		{"file_name": "a.jpg", "faces": [{"bbox": [40, 0, 10, 10], "tags": ["hand", "beard"]}]},
		{"file_name": "b.jpg", "faces": [{"bbox": [0, 0, 4, 4], "tags": ["hand"]}]},
		{"file_name": "in/another/split.jpg", "faces": [{"bbox": [9, 9, 9, 9], "tags": ["hand"]}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	tagged, err := set.Tag(list)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Photos[0].Tags) != 0 {
		t.Errorf("the data set itself was changed: %+v", set.Photos[0])
	}
	hand, beard, cut := newConfusion(), newConfusion(), newConfusion()
	hand[masked][unmasked], hand[incorrect][missed] = 1, 1
	beard[masked][unmasked] = 1
	cut[masked][masked], cut[masked][unmasked], cut[incorrect][missed] = 1, 1, 1 // all lie at the upper border
	result := Evaluate(Subject{Set: tagged}, run, nil)
	if diff := cmp.Diff(map[string]Confusion{"hand": hand, "beard": beard, "cut": cut}, result.Figures.Tagged); diff != "" {
		t.Errorf("confusion by tag (-want +got):\n%s", diff)
	}
	var text bytes.Buffer
	if err := result.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	table := strings.Join(strings.Fields(text.String()), " ")
	if want := "masked unmasked incorrect missed beard, masked 0 1 0 0 cut, masked 1 1 0 0 cut, incorrect 0 0 0 1 hand, masked 0 1 0 0 hand, incorrect 0 0 0 1"; !strings.Contains(table, want) {
		t.Errorf("got\n%s\nwant %q in it", &text, want)
	}
}

// TestTagsOutliveACorrectedClass: a corrected class must not take a face out of its tag.
func TestTagsOutliveACorrectedClass(t *testing.T) {
	t.Parallel()
	set, run := scene()
	box := [4]float64{40, 0, 10, 10}
	set, err := set.Tag([]Tagged{{FileName: "a.jpg", Faces: []Tags{{box, []string{"hand"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	set, _, err = set.Correct([]Corrected{{FileName: "a.jpg", Reason: "r", Change: []Correction{{"no_mask", box}}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := Measure(set, run).Tagged["hand"][unmasked][unmasked]; got != 1 {
		t.Errorf("got %d unmasked faces with a hand, want 1", got)
	}
}

func TestTagRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	set, _ := scene()
	nowhere := []Tags{{[4]float64{9, 9, 9, 9}, []string{"hand"}}}
	if _, err := set.Tag([]Tagged{{"other.jpg", nowhere}}); !errors.Is(err, ErrOtherData) {
		t.Errorf("no photo of the split: got %v, want ErrOtherData", err)
	}
	_, err := set.Tag([]Tagged{{"a.jpg", nowhere}})
	if err == nil || errors.Is(err, ErrOtherData) || !strings.Contains(err.Error(), "a.jpg: it has no face [9 9 9 9]") {
		t.Errorf("a face that is not there: got %v", err)
	}
	for name, text := range map[string]string{
		"no faces":         `[{"file_name": "a"}]`,
		"no tags":          `[{"file_name": "a", "faces": [{"bbox": [1, 2, 3, 4]}]}]`,
		"an empty tag":     `[{"file_name": "a", "faces": [{"bbox": [1, 2, 3, 4], "tags": [""]}]}]`,
		"a tag twice":      `[{"file_name": "a", "faces": [{"bbox": [1, 2, 3, 4], "tags": ["hand", "beard", "hand"]}]}]`,
		"a tag of ours":    `[{"file_name": "a", "faces": [{"bbox": [1, 2, 3, 4], "tags": ["cut"]}]}]`,
		"a misspelt field": `[{"file_name": "a", "faces": [{"box": [1, 2, 3, 4], "tags": ["hand"]}]}]`,
	} {
		if _, err := ReadTags([]byte(text)); err == nil {
			t.Errorf("%s: it is accepted", name)
		}
	}
}

// TestOwnTags: docs/evaluation.md explains these four and no other.
func TestOwnTags(t *testing.T) {
	t.Parallel()
	list, err := OwnTags()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]int{"hand": 0, "beard": 0, "scarf": 0, "visor": 0}
	photos := make(map[string]bool)
	for _, photo := range list {
		if photos[photo.FileName] {
			t.Errorf("%s is listed twice", photo.FileName)
		}
		photos[photo.FileName] = true
		for _, face := range photo.Faces {
			for _, tag := range face.Tags {
				if _, ok := known[tag]; !ok {
					t.Errorf("%s: nobody knows the tag %q", photo.FileName, tag)
				}
				known[tag]++
			}
		}
	}
	for tag, faces := range known {
		if faces == 0 {
			t.Errorf("no face has the tag %s", tag)
		}
	}
}
