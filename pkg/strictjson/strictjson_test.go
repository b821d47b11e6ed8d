package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// wait is a text of a type's own.
type wait time.Duration

func (w *wait) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no wait", text)
	}
	*w = wait(d)
	return nil
}

type order struct {
	Size  int               `json:"size"`
	Share float64           `json:"share"`
	Sure  bool              `json:"sure"`
	Until time.Time         `json:"until"`
	For   wait              `json:"for"`
	Photo []byte            `json:"photo"`
	Notes map[string]string `json:"notes"`
	Raw   json.RawMessage   `json:"raw"`
	Small *uint8            `json:"small"`
	Box   [4]float64        `json:"box"`
	IDs   []uuid.UUID       `json:"ids"`
	Parts []order           `json:"parts"`
	Own   []own             `json:"own"`
}

// own reads itself.
type own struct{ order }

func (o *own) UnmarshalJSON(text []byte) error { return Read(text, &o.order) }

func TestFaultSaysWhatAndWhere(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	for text, want := range map[string]string{
		``:                             "it is empty",
		" \n":                          "it is empty",
		`{"size":1`:                    "it is no JSON: it ends before it is complete",
		`{"size":1,}`:                  "it is no JSON from byte 10 on",
		"{\n  \"size\": 1,\n  'x': 2}": "it is no JSON from line 3, byte 3 on",
		`{"size":1} {}`:                "it is no JSON from byte 12 on",
		`{"size":01}`:                  "it is no JSON from byte 10 on",
		"{\"notes\":{\"a\":\"\xff\"}}": "it is not UTF-8 from byte 16 on",
		`{"notes":{"a":"\ud800"}}`:     "it is no JSON from byte 16 on",
		`[1]`:                          "it is a list, want an object",
		`{"Size":1}`:                   "Size is not known",
		`{"parts":[{},{"sise":1}]}`:    "parts[1].sise is not known",
		`{"a b":1}`:                    `"a b" is not known`,
		`{"":1}`:                       `"" is not known`,
		`{"7":1}`:                      "7 is not known",
		`{"notes":{"7":{}}}`:           "notes[7] is an object, want a text", // a place, for all that can be seen
		`{"ééééééééééééééééééééééééééééééééééééééééé":1}`:                   `"` + strings.Repeat("é", 40) + `" is not known`,
		strings.Repeat(`{"parts":[`, 100) + `7` + strings.Repeat(`]}`, 100): strings.Repeat("parts[0].", 11) + "p…]." + strings.Repeat("parts[0].", 10) + "parts[0] is a number, want an object",
		`{"` + long + `":1}`:            `"` + long[:80] + `" is not known`,
		`{"size":1,"size":1}`:           "size is there twice",
		`{"raw":{"a":[{"b":1,"b":2}]}}`: "raw.a[0].b is there twice",
		`{"size":"1"}`:                  "size is a text, want a whole number",
		`{"size":1.5}`:                  "size is 1.5, want a whole number in digits",
		`{"size":1e3}`:                  "size is 1e3, want a whole number in digits",
		`{"size":99999999999999999999}`: "size is 99999999999999999999, which is too large or too small",
		`{"size":` + "1" + strings.Repeat("0", 200) + `}`: "size is 1" + strings.Repeat("0", 79) + ", which is too large or too small",
		`{"small":-1}`:            "small is -1, which is too large or too small",
		`{"small":256}`:           "small is 256, which is too large or too small",
		`{"share":1e999}`:         "share is 1e999, which is too large or too small",
		`{"share":[]}`:            "share is a list, want a number",
		`{"sure":"yes"}`:          "sure is a text, want true or false",
		`{"size":true}`:           "size is true or false, want a whole number",
		`{"until":"noon"}`:        "until is no moment like 2026-12-01T18:00:00Z",
		`{"until":7}`:             "until is no moment like 2026-12-01T18:00:00Z",
		`{"for":"long"}`:          `for cannot be read: "long" is no wait`,
		`{"for":7}`:               "for is a number, want a text",
		`{"photo":"a*"}`:          "photo is no base64 from byte 2 on",
		`{"photo":"/9j/4"}`:       "photo is no base64 from byte 5 on",
		`{"box":[1,2]}`:           "box is a list of another length than 4",
		`{"box":[1,2,3,4,5]}`:     "box is a list of another length than 4",
		`{"box":7}`:               "box is a number, want a list",
		`{"ids":[null]}`:          "ids[0] is no UUID",
		`{"own":[{},null]}`:       "own[1] is null, want an object",
		`{"ids":["x"]}`:           "ids[0] is no UUID",
		`{"photo":{}}`:            "photo is an object, want a text",
		`{"notes":{"gate":7}}`:    "notes.gate is a number, want a text",
		`{"notes":"x"}`:           "notes is a text, want an object",
		`{"parts":{}}`:            "parts is an object, want a list",
		`{"own":[{},{"sise":1}]}`: "own[1].sise is not known",
		`{"own":[{"parts":[7]}]}`: "own[0].parts[0] is a number, want an object",
		`{"own":[{"own":[[]]}]}`:  "own[0].own[0] is a list, want an object",
		`{"own":[{"for":"x"}]}`:   `own[0].for cannot be read: "x" is no wait`,
		`{"parts":[{},7]}`:        "parts[1] is a number, want an object",
	} {
		var to order
		err := Read([]byte(text), &to)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestReadLeavesAloneWhatIsNotSaid(t *testing.T) {
	t.Parallel()
	small := uint8(3)
	to := order{Size: 4, Share: 0.5, Parts: []order{{Size: 9, Sure: true}}, Small: &small}
	text := ` {"share":0.25,"parts":[{"size":1}],"small":null,"size":null,"until":null,"for":null,"box":null,"photo":"/9j\n/"} `
	if err := Read([]byte(text), &to); err != nil {
		t.Fatal(err)
	}
	if to.Size != 4 || len(to.Photo) != 3 || to.Share != 0.25 || to.Small != nil || len(to.Parts) != 1 || to.Parts[0].Size != 1 || to.Parts[0].Sure {
		t.Errorf("got %+v", to)
	}
}

func TestFaultKeepsItsCause(t *testing.T) {
	t.Parallel()
	var fault *Fault
	var to order
	if err := Read([]byte(`{"size":`), &to); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	if err := Read([]byte(`{"sise":1}`), &to); !errors.As(err, &fault) || !fault.Unknown || fault.Field != "sise" {
		t.Errorf("got %+v", fault)
	}
}

// FuzzRead: whatever is read is JSON, and a fault is a line that can be shown.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"size":1,"parts":[{"until":"noon"}]}`))
	f.Add([]byte("{\"\\n\":1}"))
	f.Add([]byte("{\"notes\":{\"\xff\":1}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var to order
		err := Read(text, &to)
		switch {
		case err == nil && !json.Valid(text):
			t.Errorf("%q was read", text)
		case err != nil && (!utf8.ValidString(err.Error()) || strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 1000):
			t.Errorf("%q: %q cannot be shown", text, err)
		}
	})
}

// BenchmarkRead reads a policy's worth, beside the standard library that is not strict.
func BenchmarkRead(b *testing.B) {
	text := []byte(`{"size":4,"share":0.5,"sure":true,"until":"2026-12-01T18:00:00Z","for":"30s","parts":[{"size":1},{"size":2},{"notes":{"gate":"7"}}]}`)
	b.Run("strict", func(b *testing.B) {
		for b.Loop() {
			var to order
			if err := Read(text, &to); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		for b.Loop() {
			var to order
			if err := json.Unmarshal(text, &to); err != nil {
				b.Fatal(err)
			}
		}
	})
}
