package job

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
)

const upload = "01890a5d-ac96-774b-bcce-b302099a8057"

func TestParseItem(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]Item{
		`{"custom_id":"a","image":{"url":"https://example.org/a.jpg"}}`: {CustomID: "a", Image: ItemImage{URL: "https://example.org/a.jpg"}},
		` {"custom_id":"Süd-7","image":{"base64":"/9j/"},"metadata":{"gate":"7"}} `: {
			CustomID: "Süd-7", Image: ItemImage{Base64: "/9j/"}, Metadata: map[string]string{"gate": "7"},
		},
		`{"custom_id":"a","image":{"s3_uri":"s3://gates/2026/a b.jpg"}}`: {CustomID: "a", Image: ItemImage{S3URI: "s3://gates/2026/a b.jpg"}},
		`{"custom_id":"a","image":{"upload_id":"` + upload + `"}}`:       {CustomID: "a", Image: ItemImage{UploadID: upload}},
	} {
		got, err := ParseItem([]byte(line), 100)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", line, err, diff)
		}
	}
}

func TestParseItemRefuses(t *testing.T) {
	t.Parallel()
	image := `"image":{"url":"https://example.org/"}`
	for line, want := range map[string]string{
		``:                                       "the line is empty",
		`[]`:                                     "the line is a list, want an object",
		`{"custom_id":"a"`:                       "the line is no JSON: it ends before it is complete",
		"{\"custom_id\":\"\xff\"," + image + "}": "not UTF-8",
		`{"custom_id":7,` + image + `}`:          "“custom_id” is a number, want a text",
		`{"custom_id":"a",` + image + `} {}`:     "the line is no JSON from byte 58 on",
		`{"custom_id":"a","priority":1,` + image + `}`: "“priority” is not known",
		`{` + image + `}`:                    "“custom_id” is missing",
		`{"custom_id":"a\nb",` + image + `}`: "cannot be shown",
		`{"custom_id":"` + strings.Repeat("a", 1025) + `",` + image + `}`: "longer than 1024 bytes",
		`{"custom_id":"a"}`:            "exactly one",
		`{"custom_id":"a","image":{}}`: "exactly one",
		`{"custom_id":"a","image":{"url":"https://example.org/","base64":"/9j/"}}`:               "exactly one",
		`{"custom_id":"a","image":{"path":"/etc/passwd"}}`:                                       "“image.path” is not known",
		`{"custom_id":"a","image":{"base64":"not base64!"}}`:                                     "not base64",
		`{"custom_id":"a","image":{"base64":"/9j\n"}}`:                                           "not base64",
		`{"custom_id":"a","image":{"base64":"` + strings.Repeat("AAAA", 34) + `"}}`:              "larger than 100 bytes",
		`{"custom_id":"a","image":{"base64":"` + strings.Repeat("AAAA", 900) + `"}}`:             "larger than 100 bytes",
		`{"custom_id":"a","image":{"upload_id":"../../x"}}`:                                      "“upload_id” is not one",
		`{"custom_id":"a","image":{"upload_id":"` + strings.ToUpper(upload) + `"}}`:              "“upload_id” is not one",
		`{"custom_id":"a","image":{"s3_uri":"s3://gates/"}}`:                                     "“s3_uri” must be",
		`{"custom_id":"a","image":{"s3_uri":"https://gates/a.jpg"}}`:                             "“s3_uri” must be",
		`{"custom_id":"a","image":{"s3_uri":"s3://GATES/a.jpg"}}`:                                "“s3_uri” must be",
		`{"custom_id":"a","image":{"url":"https://` + strings.Repeat("a", 2048) + `"}}`:          "longer than 2048",
		`{"custom_id":"a",` + image + `,"metadata":{"gate":7}}`:                                  "“metadata.gate” is a number, want a text",
		`{"custom_id":"a",` + image + `,"metadata":{"gate":"` + strings.Repeat("a", 513) + `"}}`: "values of 512 bytes",
	} {
		item, err := ParseItem([]byte(line), 100)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: got %v, want %q", line, err, want)
		}
		if item.Image != (ItemImage{}) {
			t.Errorf("%.80s: gave %+v with its error", line, item)
		}
	}
}

// TestParseItemNamesWhatItRefuses: also where the name stands behind the fault.
func TestParseItemNamesWhatItRefuses(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		`{"image":{"url":7},"custom_id":"gate 7"}`,
		`{"priority":1,"custom_id":"gate 7"}`,
		`{"custom_id":"gate 7"} {}`,
	} {
		if item, err := ParseItem([]byte(line), 100); err == nil || item.CustomID != "gate 7" {
			t.Errorf("%s: got %q, %v", line, item.CustomID, err)
		}
	}
}

// TestParseItemMakesUpNoName of bytes that are none.
func TestParseItemMakesUpNoName(t *testing.T) {
	t.Parallel()
	if item, err := ParseItem([]byte("{\"custom_id\":\"gate \xff\"}"), 100); err == nil || item.CustomID != "" {
		t.Errorf("got %q, %v", item.CustomID, err)
	}
}

func FuzzParseItem(f *testing.F) {
	f.Add([]byte(`{"custom_id":"a","image":{"url":"https://example.org/a.jpg"},"metadata":{"gate":"7"}}`))
	f.Add([]byte(`{"custom_id":"a","image":{"base64":"/9j/"}}`))
	f.Add([]byte(`{"custom_id":"a","image":{"s3_uri":"s3://gates/a"}}`))
	f.Add([]byte(`{"custom_id":"a","image":{"upload_id":"` + upload + `"}}`))
	f.Add([]byte(`{}{`))
	f.Fuzz(func(t *testing.T, line []byte) {
		item, err := ParseItem(line, 64)
		if len(item.CustomID) > MaxCustomID {
			t.Errorf("a name of %d bytes from %q", len(item.CustomID), line)
		}
		if err != nil {
			return
		}
		if data, err := base64.StdEncoding.DecodeString(item.Image.Base64); err != nil || len(data) > 64 {
			t.Errorf("%d bytes, %v, from %q", len(data), err, line)
		}
		again, err := json.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := ParseItem(again, 64); err != nil || cmp.Diff(item, twice, cmpopts.EquateEmpty()) != "" {
			t.Errorf("%q became %q: %v", line, again, err)
		}
	})
}

func TestS3Sources(t *testing.T) {
	t.Parallel()
	sources := S3Sources{"s3://gates/2026/", "s3://all/"}
	if err := sources.Validate(); err != nil {
		t.Error(err)
	}
	for uri, want := range map[string]bool{
		"s3://gates/2026/a.jpg": true, "s3://gates/2026/": true, "s3://all/x": true, "s3://all/": true,
		"s3://gates/2026": false, "s3://gates/20267/a.jpg": false, "s3://gates/": false, "s3://other/2026/": false,
	} {
		bucket, key, err := ParseS3URI(uri)
		if got := sources.Allow(bucket, key); err != nil || got != want {
			t.Errorf("%s: got %t, %v", uri, got, err)
		}
	}
	for _, bad := range []string{"gates", "s3://gates/2026", "s3://ga tes/", "s3://"} {
		if err := (S3Sources{bad}).Validate(); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestItemIDs(t *testing.T) {
	t.Parallel()
	batch, err := NewBatchID()
	if err != nil {
		t.Fatal(err)
	}
	last := ID{}
	for line := 1; line < MaxBatchItems; line += 37 {
		id := ItemID(batch, line)
		if id.Version() != 7 || id.Variant() != uuid.RFC4122 || id.Time() != batch.Time() {
			t.Fatalf("line %d: %s is no UUIDv7 of the batch's time", line, id)
		}
		if id.String() <= last.String() {
			t.Fatalf("line %d: %s does not follow %s", line, id, last)
		}
		last = id
	}
	other, err := NewBatchID()
	if err != nil {
		t.Fatal(err)
	}
	if ItemID(batch, 1) == ItemID(other, 1) || ItemID(batch, 1) != ItemID(batch, 1) {
		t.Error("an item's identity is its batch's and line's alone")
	}
}

func TestBatchTable(t *testing.T) {
	t.Parallel()
	for _, line := range BatchTable() {
		for _, from := range line.From {
			if from.Terminal() && line.Event != BatchEventRetry {
				t.Errorf("%s leads out of %s", line.Event, from)
			}
		}
	}
	for _, s := range BatchStates() {
		b := Batch{State: s}
		next, moves := b.AtRest()
		if leads := s == BatchQueued || s == BatchInProgress || s == BatchCancelling; moves != leads {
			t.Errorf("%s at rest goes on to %s: %t", s, next, moves)
		}
		b.Counts.Remaining = 1
		if _, moves := b.AtRest(); moves {
			t.Errorf("%s is at rest with an open item", s)
		}
	}
	if next, _ := (Batch{State: BatchInProgress, Counts: BatchCounts{Expired: 1}}).AtRest(); next != BatchExpired {
		t.Errorf("a batch with expired items ends %s", next)
	}
}

func FuzzParseS3URI(f *testing.F) {
	for _, seed := range []string{"s3://cameras/2026/a b.jpg", "s3://cameras", "s3:///a", "s3://a..b/\x00", "S3://cameras/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		bucket, key, err := ParseS3URI(uri)
		if err != nil {
			return
		}
		if whole := "s3://" + bucket + "/" + key; uri != whole && uri+"/" != whole {
			t.Errorf("%q is another spelling of %q", uri, whole)
		}
		if strings.ContainsAny(bucket, "/?#@ ") || strings.ContainsAny(key, "\x00\r\n") {
			t.Errorf("%q names bucket %q, key %q", uri, bucket, key)
		}
	})
}
