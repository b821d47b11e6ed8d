package ingest

import (
	"bytes"
	"strings"
	"testing"

	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
)

func FuzzPageToken(f *testing.F) {
	f.Add(encodeToken("7"))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		last, err := decodeToken(token)
		if err == nil && encodeToken(last) != token {
			t.Errorf("%q is another token of %q", token, last)
		}
	})
}

func FuzzBatchRequest(f *testing.F) {
	f.Add([]byte(`{"items":[{"custom_id":"a","image":{"url":"https://a.example/"}}]}`))
	f.Add([]byte(`{"s3_prefix":"s3://photos/2026/"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := parseBatchRequest(body, 10)
		if err != nil {
			if p := problem.From(err); p.Status >= 500 {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		if lines := bytes.Count(manifestOf(request.Items), []byte("\n")); lines != len(request.Items) {
			t.Errorf("%q: %d items became %d lines", body, len(request.Items), lines)
		}
	})
}

func FuzzLineCounter(f *testing.F) {
	f.Add([]byte("a\n\n b\r\n"), 2)
	f.Fuzz(func(t *testing.T, text []byte, piece int) {
		want := 0
		for line := range bytes.Lines(text) {
			if len(bytes.TrimSpace(line)) > 0 {
				want++
			}
		}
		counter := &lineCounter{limited: limited{from: bytes.NewReader(text), left: int64(len(text))}, most: len(text) + 1}
		into := make([]byte, max(1, min(piece, 64)))
		for {
			if _, err := counter.Read(into); err != nil {
				break
			}
		}
		if counter.lines != want {
			t.Errorf("%q in pieces of %d: counted %d lines, want %d", text, len(into), counter.lines, want)
		}
	})
}

func FuzzDetectionRequest(f *testing.F) {
	f.Add([]byte(`{"image":{"url":"https://a.example/"},"metadata":{"a":"b"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := parseDetectionRequest(body)
		if err == nil && request.Image.Base64 == nil {
			_, err = request.Image.source()
		}
		if err == nil {
			err = checkMetadata(request.Metadata)
		}
		if p := problem.From(err); p != nil && p.Status >= 500 {
			t.Errorf("%q: %v", body, err)
		}
	})
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"gate":"7"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		metadata, err := parseMetadata(text)
		if p := problem.From(err); p != nil && p.Status >= 500 {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && len(metadata) > job.MaxMetadataKeys {
			t.Errorf("%q: %d entries", text, len(metadata))
		}
	})
}

func FuzzUploadsRequest(f *testing.F) {
	f.Add([]byte(`{"files":[{"filename":"a.jpg","content_type":"image/jpeg","bytes":1}]}`))
	s := &Service{}
	s.cfg.Photo.MaxBytes = 1000
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := s.parseUploads(body)
		if p := problem.From(err); p != nil {
			if p.Status >= 500 {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		for _, file := range request.Files {
			if strings.ContainsAny(file.ContentType, "\r\n;") || strings.ContainsAny(file.Filename, "/\\\r\n") {
				t.Errorf("%q: accepted %+v", body, file)
			}
		}
	})
}
