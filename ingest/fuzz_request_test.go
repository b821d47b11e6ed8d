package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

// mustBlameTheClient fails if a request that could not be read is our fault.
func mustBlameTheClient(t *testing.T, input any, err error) {
	t.Helper()
	if p := problem.From(err); p != nil && p.Status >= 500 {
		t.Errorf("%q: %v", input, err)
	}
}

func FuzzPrefer(f *testing.F) {
	for _, seed := range []string{"wait=10", "respond-async, WAIT=3", "wait", "wait=-1", "wait=99999999999999999999", "wait=1;a=b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		d, err := waitIn(header)
		mustBlameTheClient(t, header, err)
		if d < 0 || d > 0xffff*time.Second || (err != nil && d != 0) {
			t.Errorf("%q: %s, %v", header, d, err)
		}
	})
}

func FuzzIfNoneMatch(f *testing.F) {
	f.Add(`W/"a", "b"`, `"b"`)
	f.Add("*", `"b"`)
	f.Fuzz(func(t *testing.T, header, tag string) {
		if matches(header, tag) && !strings.Contains(header, tag) && !strings.Contains(header, "*") {
			t.Errorf("%q matches %q", header, tag)
		}
	})
}

func FuzzQueriedTime(f *testing.F) {
	for _, seed := range []string{"2026-11-23", "2026-11-23T15:20:00Z", "2026-11-23T15:20:00.5+14:00", "0000-01-01"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := timeIn("from", text)
		mustBlameTheClient(t, text, err)
		if err == nil && text != "" && (at.Location() != time.UTC || at.Year() < 0 || at.Year() > 10_000) {
			t.Errorf("%q was read as %s", text, at)
		}
	})
}

func FuzzListQuery(f *testing.F) {
	f.Add("some_masked", "gate", "2026-11-01", "2026-11-23")
	f.Fuzz(func(t *testing.T, category, search, from, to string) {
		q, err := listQuery(func(name string) string {
			return map[string]string{"category": category, "q": search, "from": from, "to": to}[name]
		})
		mustBlameTheClient(t, search, err)
		if filter := filterOf(q, uuid.New(), time.UTC); err == nil && (filter.From.IsZero() != (from == "") || filter.To.IsZero() != (to == "")) {
			t.Errorf("from %q to %q became %s to %s", from, to, filter.From, filter.To)
		}
	})
}

func FuzzPhotoID(f *testing.F) {
	f.Add(sampleID().String())
	f.Add("{" + sampleID().String() + "}")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := photoID(text)
		mustBlameTheClient(t, text, err)
		if err == nil && !strings.EqualFold(id.String(), text) {
			t.Errorf("%q is another spelling of %s", text, id)
		}
	})
}

func FuzzWebhookRequest(f *testing.F) {
	f.Add([]byte(`{"url":"https://receiver.example/","name":"a","events":["batch.completed"],"unmasked_above":3,"enabled":false}`))
	f.Add([]byte(`{"events":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var request webhookRequest
		if json.Unmarshal(body, &request) != nil {
			return
		}
		var w jobstore.Webhook
		if err := request.applyTo(&w); err != nil {
			mustBlameTheClient(t, body, err)
			return
		}
		if strings.ContainsFunc(w.Name+w.URL, unicode.IsControl) || !subscribable(w.Rule.Events) || w.Rule.UnmaskedAbove < 0 {
			t.Errorf("%q became %+v", body, w)
		}
	})
}

func FuzzS3Sources(f *testing.F) {
	f.Add("s3://cameras/2026/\r\n\r\ns3://gates")
	f.Add("s3://maskfleet/\ns3://MASKFLEET/")
	f.Fuzz(func(t *testing.T, text string) {
		sources, wrong := readS3Sources(text, "maskfleet")
		if wrong != "" {
			return
		}
		if err := sources.Validate(); err != nil || sources.Allow("maskfleet", "2026-01-01/x/original") {
			t.Errorf("%q became %q: %v", text, sources, err)
		}
		if again, wrong := readS3Sources(strings.Join(sources, "\n"), "maskfleet"); wrong != "" || !slices.Equal(sources, again) {
			t.Errorf("%q became %q and then %q: %s", text, sources, again, wrong)
		}
	})
}

// FuzzMultipart reads a body that means one photo: whatever comes, no memory of the
// budget stays taken.
func FuzzMultipart(f *testing.F) {
	body, kind := multipartBody(f, part{field: "metadata", data: []byte(`{"a":"b"}`)}, part{field: "file", filename: "../a\r\n.jpg", data: []byte("photo")})
	_, boundary, _ := strings.Cut(kind, "boundary=")
	f.Add(strings.ReplaceAll(body.String(), boundary, "b"))
	f.Add("--b\r\nContent-Disposition: form-data; name=file; filename*=utf-8''%00a\r\n\r\nx\r\n--b--")
	f.Fuzz(func(t *testing.T, body string) {
		s := &Service{admission: &admission{memory: newBudget(1<<20, prometheus.NewGauge(prometheus.GaugeOpts{}))}}
		s.cfg.Photo.MaxBytes = 1 << 10
		parts := httpserver.NewParts(strings.NewReader(body), "b")
		for {
			p, err := parts.Next()
			if err != nil {
				break
			}
			err = s.takePart(p, func(_ string, up *upload) error {
				if strings.ContainsAny(up.filename, "/\\\r\n\x00") || len(up.data) > 1<<10 {
					t.Errorf("took %d bytes named %q", len(up.data), up.filename)
				}
				up.release()
				return nil
			}, func(_, value string) error {
				if len(value) > maxFieldBytes {
					t.Errorf("took a field of %d bytes", len(value))
				}
				return nil
			})
			mustBlameTheClient(t, body, err)
		}
		if held := s.admission.memory.held; held != 0 {
			t.Errorf("%q: %d bytes stay taken", body, held)
		}
	})
}

// FuzzManifestLines reads the lines of a manifest and the items on them.
func FuzzManifestLines(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbf{\"custom_id\":\"a\",\"image\":{\"url\":\"https://a.example/\"}}\r\n\n {}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		const most = 256
		in, last := newLines(bytes.NewReader(text), most), 0
		for {
			number, line, err := in.next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, errLineTooLong) {
					t.Errorf("%q: %v", text, err)
				}
				return
			}
			if number <= last || len(line) == 0 || len(line) > most || bytes.ContainsRune(line, '\n') {
				t.Fatalf("%q: line %d after %d is %q", text, number, last, line)
			}
			last = number
			if item, err := job.ParseItem(line, 1000); err == nil && item.CustomID == "" {
				t.Errorf("%q is an item without a name", line)
			}
		}
	})
}
