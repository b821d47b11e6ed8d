package ingest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
)

// itemsOf waits until a batch is expanded and gives the names of its items.
func (d *door) itemsOf(t *testing.T, p person, b batchAnswer) (names []string) {
	t.Helper()
	eventually(t, "the batch is expanded", func() bool {
		b = batchFrom(t, d.ask(t, p, http.MethodGet, batchPath(b.ID), nil, nil), 200)
		return b.Status != job.BatchValidating
	})
	if b.Error != nil {
		t.Fatalf("the batch failed: %+v", b.Error)
	}
	a := d.ask(t, p, http.MethodGet, batchPath(b.ID)+"/items", nil, nil)
	var page listOf[detection]
	a.into(t, &page)
	for _, item := range page.Data {
		names = append(names, *item.CustomID)
	}
	return names
}

func TestBatchOfFilesAndArchives(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	data := photo(t)
	names := []string{"gate 7.jpg", "Grüße.jpg", strings.Repeat("n", 120) + ".jpg"}
	var parts []part
	var files []file
	for _, name := range names {
		parts = append(parts, part{field: "files", filename: name, data: data})
		files = append(files, file{name: "photos/" + name, data: data})
	}
	body, kind := multipartBody(t, parts...)
	a := d.ask(t, d.ann, http.MethodPost, "/v1/batches", body, keyed("files", map[string]string{"Content-Type": kind}))
	first := batchFrom(t, a, 202)
	if diff := cmp.Diff(names, d.itemsOf(t, d.ann, first)); diff != "" || first.Source != job.BatchFromArchive {
		t.Errorf("items of files (-want +got):\n%s", diff)
	}
	again, kind := multipartBody(t, parts...) // with another boundary
	if a := d.ask(t, d.ann, http.MethodPost, "/v1/batches", again, keyed("files", map[string]string{"Content-Type": kind})); !replayed(a) || batchFrom(t, a, 202).ID != first.ID {
		t.Errorf("repeated it is answered %d %s", a.status, a.body)
	}
	stored, err := d.store.Find(t.Context(), job.ItemID(first.ID, 2))
	if err != nil {
		t.Fatal(err)
	}
	if original, err := d.images.Get(t.Context(), stored.OriginalKey, 1<<20); err != nil || !bytes.Equal(original, data) {
		t.Errorf("the second photo has %d bytes, %v", len(original), err)
	}

	var within []string
	for _, name := range names {
		within = append(within, "photos/"+name)
	}
	for kind, archive := range map[string][]byte{"application/zip": zipOf(t, files...), "application/x-tar": tarOf(t, files...), "application/gzip": gzipOf(t, tarOf(t, files...))} {
		b := batchFrom(t, d.ask(t, d.ann, http.MethodPost, "/v1/batches", bytes.NewReader(archive), map[string]string{"Content-Type": kind}), 202)
		if diff := cmp.Diff(within, d.itemsOf(t, d.ann, b)); diff != "" {
			t.Errorf("items of %s (-want +got):\n%s", kind, diff)
		}
	}
	endless := d.submitBatch(t, d.ann, "multipart/form-data; boundary=b", "--b\r\nX: "+strings.Repeat("a", 1<<20))
	if d.refuses(t, endless, 400, problem.CodeInvalidRequest); !strings.Contains(string(endless.body), "header") {
		t.Errorf("got %s", endless.body)
	}
}

func TestBadFilesOfBatchesAreRefused(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) {
		c.Photo.MaxBytes, c.Batch.MaxArchiveBytes, c.Batch.MaxItems = 2000, 5000, 3
	})
	one := part{field: "files", filename: "a.jpg", data: []byte("photo")}
	big := part{field: "files", filename: "b.jpg", data: make([]byte, 2001)}
	full := part{field: "files", filename: "c.jpg", data: make([]byte, 1900)}
	for name, c := range map[string]struct {
		parts  []part
		status int
		code   string
	}{
		"none":             {nil, 400, problem.CodeMissingField},
		"another field":    {[]part{one, {field: "file", filename: "a.jpg", data: []byte("x")}}, 400, problem.CodeMissingField},
		"text":             {[]part{one, {field: "files", data: []byte("x")}}, 400, problem.CodeMissingField},
		"a path":           {[]part{{field: "files", filename: "../a.jpg", data: []byte("x")}}, 400, problem.CodeInvalidName},
		"an empty file":    {[]part{{field: "files", filename: "a.jpg"}}, 400, problem.CodeEmptyBody},
		"a large photo":    {[]part{big}, 413, problem.CodeFileTooLarge},
		"too many":         {[]part{one, one, one, one}, 413, problem.CodeTooManyItems},
		"too large in all": {[]part{full, full, full}, 413, problem.CodeFileTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			body, kind := multipartBody(t, c.parts...)
			d.refuses(t, d.ask(t, d.ann, http.MethodPost, "/v1/batches", body, map[string]string{"Content-Type": kind}), c.status, c.code)
			body, kind = multipartBody(t, c.parts...) // without a length
			d.refuses(t, d.ask(t, d.ann, http.MethodPost, "/v1/batches", io.MultiReader(body), map[string]string{"Content-Type": kind}), c.status, c.code)
		})
	}
	d.refuses(t, d.submitBatch(t, d.ann, "multipart/form-data", "x"), 400, problem.CodeNotMultipart)
	d.refuses(t, d.submitBatch(t, d.ann, "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\nhalf"), 400, problem.CodeInvalidRequest)
	d.refuses(t, d.submitBatch(t, d.ann, "application/zip", strings.Repeat("x", 5001)), 413, problem.CodeFileTooLarge)
	d.refuses(t, d.submitBatch(t, d.ann, "application/zip", ""), 400, problem.CodeEmptyBody)
	eventually(t, "no bytes are held", func() bool { return d.admission.memory.fits(d.admission.memory.limit) })
}

func FuzzFileArchive(f *testing.F) {
	f.Add("--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n")
	f.Add("--b\r\n\r\n")
	s := &Service{cfg: Config{}, admission: &admission{memory: newBudget(1<<20, prometheus.NewGauge(prometheus.GaugeOpts{Name: "test"}))}}
	s.admission.ofBatch = newShare(s.admission.memory, 1<<20, prometheus.NewGauge(prometheus.GaugeOpts{Name: "test"}))
	s.cfg.Batch.MaxItems, s.cfg.Photo.MaxBytes = 5, 1000
	f.Fuzz(func(t *testing.T, body string) {
		archive := s.newFileArchive(httpserver.NewParts(strings.NewReader(body), "b"))
		_, err := io.Copy(io.Discard, archive)
		archive.release()
		if err != nil && problem.From(err).Status >= 500 {
			t.Errorf("%q: %v", body, err)
		}
		if !s.admission.memory.fits(1 << 20) {
			t.Errorf("%q: memory is held", body)
		}
	})
}
