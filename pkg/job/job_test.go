package job

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCategory(t *testing.T) {
	t.Parallel()
	face := func(l Label) Face { return Face{Label: l} }
	cases := []struct {
		name  string
		faces []Face
		want  Counts
		list  Category
	}{
		{"no faces", nil, Counts{}, CategoryNoFaces},
		{"all masked", []Face{face(LabelMasked), face(LabelMasked)}, Counts{2, 2, 0}, CategoryAllMasked},
		{"none masked", []Face{face(LabelUnmasked)}, Counts{1, 0, 1}, CategoryNoneMasked},
		{"some masked", []Face{face(LabelUnmasked), face(LabelMasked)}, Counts{2, 1, 1}, CategorySomeMasked},
		{"worn wrongly counts as unmasked", []Face{face(LabelIncorrect)}, Counts{1, 0, 1}, CategoryNoneMasked},
		{"a label of a later version counts as unmasked", []Face{face("visor")}, Counts{1, 0, 1}, CategoryNoneMasked},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := Count(c.faces)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Count (-want +got):\n%s", diff)
			}
			if got.Category() != c.list {
				t.Errorf("Category: got %s, want %s", got.Category(), c.list)
			}
		})
	}
}

func TestEveryCodeHasASentence(t *testing.T) {
	t.Parallel()
	internal := Fail("no such code", nil).Message()
	for _, c := range Codes() {
		f := Fail(c, errors.New("secret cause"))
		if f.Message() == "" || strings.Contains(f.Message(), "secret") {
			t.Errorf("%s: message %q", c, f.Message())
		}
		if c != CodeInternal && f.Message() == internal {
			t.Errorf("%s has no sentence of its own", c)
		}
	}
}

func TestMessageRoundTrip(t *testing.T) {
	t.Parallel()
	id, err := NewID()
	if err != nil {
		t.Fatal(err)
	}
	want := NewMessage(Photo{ID: id, Lane: LaneBatch, TraceParent: "00-x"}, 3)
	data, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeMessage(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := DecodeMessage([]byte(`{"v":2,"photo_id":"` + id.String() + `"}`)); !errors.Is(err, ErrSchemaVersion) {
		t.Errorf("a later version: got %v, want ErrSchemaVersion", err)
	}
}

func FuzzDecodeMessage(f *testing.F) {
	f.Add([]byte(`{"v":1,"photo_id":"01890a5d-ac96-774b-bcce-b302099a8057","lane":"batch","publication":1}`))
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeMessage(data)
		if err == nil && (m.Publication < 1 || m.PhotoID == ID{}) {
			t.Errorf("accepted %q as %+v", data, m)
		}
	})
}
