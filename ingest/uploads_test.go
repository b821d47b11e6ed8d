package ingest

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
)

func TestUploadsGoToS3PastTheDoor(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	data := photo(t)
	body := fmt.Sprintf(`{"files":[{"filename":"a.jpg","content_type":"image/jpeg","bytes":%d},{"bytes":%d}]}`, len(data), len(data))
	a := d.ask(t, d.ann, http.MethodPost, "/v1/uploads", strings.NewReader(body), jsonBody())
	if a.status != 201 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	var links listOf[uploadAnswer]
	a.into(t, &links)
	if len(links.Data) != 2 || links.Data[0].Filename != "a.jpg" || links.Data[0].Headers["Content-Type"] != "image/jpeg" || links.Next != nil ||
		!time.Time(links.Data[0].ExpiresAt).Before(time.Time(links.Data[0].KeptUntil)) {
		t.Errorf("got %s", a.body)
	}
	for _, link := range links.Data {
		request, err := http.NewRequestWithContext(t.Context(), link.Method, link.URL, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range link.Headers {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != 200 {
			t.Fatalf("S3 answered %s", response.Status)
		}
		if got, err := d.images.Get(t.Context(), imagestore.UploadKey(d.ann.user.ID, link.UploadID), 1<<20); err != nil || !bytes.Equal(got, data) {
			t.Errorf("stored %d bytes, %v", len(got), err)
		}
		named := d.ask(t, d.ann, http.MethodPost, "/v1/detections", strings.NewReader(`{"image":{"upload_id":"`+link.UploadID.String()+`"}}`), jsonBody())
		id := detectionOf(t, named, 202).ID
		if stored, err := d.store.Find(t.Context(), id); err != nil || stored.Source != job.SourceSigned || stored.Link != link.UploadID.String() {
			t.Errorf("stored as %+v, %v", stored, err)
		}
	}
}

func TestBadUploadsAreRefused(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	many := `{"files":[` + strings.Repeat(`{},`, maxUploads) + `{}]}`
	for body, want := range map[string]struct {
		status int
		code   string
	}{
		``:                         {400, problem.CodeInvalidRequest},
		`{}`:                       {400, problem.CodeMissingField},
		`{"files":[]}`:             {400, problem.CodeMissingField},
		many:                       {413, problem.CodeTooManyItems},
		`{"files":[{"path":"a"}]}`: {400, problem.CodeUnexpectedParameter},
		`{"files":[{"bytes":1},{"bytes":99999999999}]}`:                           {413, problem.CodeFileTooLarge},
		`{"files":[{"bytes":0}]}`:                                                 {400, problem.CodeEmptyBody},
		`{"files":[{"bytes":-1}]}`:                                                {400, problem.CodeEmptyBody},
		`{"files":[{"bytes":"many"}]}`:                                            {400, problem.CodeInvalidRequest},
		`{"files":[{"filename":"a.jpg"}]}`:                                        {400, problem.CodeMissingField},
		`{"files":[{"filename":"../../etc/passwd","bytes":1}]}`:                   {400, problem.CodeInvalidName},
		`{"files":[{"content_type":"text/html","bytes":1}]}`:                      {415, problem.CodeUnsupportedFormat},
		`{"files":[{"content_type":"image/png; x=1","bytes":1}]}`:                 {415, problem.CodeUnsupportedFormat},
		`{"files":[{"content_type":"image/png\r\nX-Evil: 1","bytes":1}]}`:         {415, problem.CodeUnsupportedFormat},
		`{"files":[{"content_type":"` + strings.Repeat("i", 9) + `","bytes":1}]}`: {415, problem.CodeUnsupportedFormat},
	} {
		d.refuses(t, d.ask(t, d.ann, http.MethodPost, "/v1/uploads", strings.NewReader(body), jsonBody()), want.status, want.code)
	}
	a := d.ask(t, d.ann, http.MethodPost, "/v1/uploads", strings.NewReader(`{"files":[{"bytes":1},{"bytes":99999999999}]}`), jsonBody())
	if !strings.Contains(string(a.body), `"files[1]"`) {
		t.Errorf("the file is not named in %s", a.body)
	}
}

func TestSourcesOfOnePhoto(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	submit := func(image string) answer {
		return d.ask(t, d.ann, http.MethodPost, "/v1/detections", strings.NewReader(`{"image":`+image+`}`), jsonBody())
	}
	d.refuses(t, submit(`{"s3_uri":"s3://gates/2026/a.jpg"}`), 403, problem.CodeForbidden)
	if err := d.store.SetS3Sources(t.Context(), d.ann.user.ID, job.S3Sources{"s3://gates/2026/"}); err != nil {
		t.Fatal(err)
	}
	id := detectionOf(t, submit(`{"s3_uri":"s3://gates/2026/a.jpg"}`), 202).ID
	if stored, err := d.store.Find(t.Context(), id); err != nil || stored.Source != job.SourceS3 || stored.Link != "s3://gates/2026/a.jpg" {
		t.Errorf("stored as %+v, %v", stored, err)
	}
	for image, want := range map[string]struct {
		status int
		code   string
	}{
		`{"s3_uri":"s3://gates/2025/a.jpg"}`:                {403, problem.CodeForbidden},
		`{"s3_uri":"https://gates/2026/a.jpg"}`:             {400, problem.CodeInvalidLink},
		`{"s3_uri":"s3://gates/"}`:                          {400, problem.CodeInvalidLink},
		`{"upload_id":"` + uuid.NewString() + `"}`:          {400, problem.CodeInvalidLink}, // of another version
		`{"upload_id":"x"}`:                                 {400, problem.CodeInvalidLink},
		`{}`:                                                {400, problem.CodeMissingField},
		`{"url":"https://a.example/","upload_id":"x"}`:      {400, problem.CodeMissingField},
		`{"url":"https://a.example/","base64":"","x":null}`: {400, problem.CodeUnexpectedParameter},
	} {
		d.refuses(t, submit(image), want.status, want.code)
	}
}

// TestOpenUploadsHaveAQuota: a link takes room until it is used, by a photo or an item
// of a batch, or expires.
func TestOpenUploadsHaveAQuota(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) { c.Quota.Uploads = 3 })
	ask := func(p person, n int) answer {
		files := strings.TrimSuffix(strings.Repeat(`{"bytes":1},`, n), ",")
		return d.ask(t, p, http.MethodPost, "/v1/uploads", strings.NewReader(`{"files":[`+files+`]}`), jsonBody())
	}
	var links listOf[uploadAnswer]
	ask(d.ann, 2).into(t, &links)
	if len(links.Data) != 2 {
		t.Fatalf("got %+v", links)
	}
	full := ask(d.ann, 2)
	d.refuses(t, full, 429, problem.CodeQuotaExceeded)
	if full.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for range 3 { // what was refused took no room
		if a := ask(d.bob, 1); a.status != 201 {
			t.Errorf("another account's link: %d %s", a.status, a.body)
		}
	}
	named := func(i int) string { return `"image":{"upload_id":"` + links.Data[i].UploadID.String() + `"}` }
	detectionOf(t, d.ask(t, d.ann, http.MethodPost, "/v1/detections", strings.NewReader(`{`+named(0)+`}`), jsonBody()), 202)
	if a := ask(d.ann, 2); a.status != 201 {
		t.Fatalf("with one used: %d %s", a.status, a.body)
	}
	d.refuses(t, ask(d.ann, 1), 429, problem.CodeQuotaExceeded)
	batchFrom(t, d.submitBatch(t, d.ann, ndjson, `{"custom_id":"a",`+named(1)+`}`), 202)
	eventually(t, "the batch's upload is used", func() bool { return ask(d.ann, 1).status == 201 })
}
