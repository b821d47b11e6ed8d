package ingest

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"io"
	"net/http"
	"strings"
	"testing"

	"maskfleet/pkg/problem"
)

// badFile is a file that the door refuses.
type badFile struct {
	name   string
	data   []byte
	status int
	code   string
}

func badFiles(t *testing.T) []badFile {
	t.Helper()
	good := photo(t)
	return []badFile{
		{"empty file", nil, 400, problem.CodeEmptyBody},
		{"11 MB", append(bytes.Clone(good), make([]byte, 11<<20)...), 413, problem.CodeFileTooLarge},
		{"PNG of 50,000 x 50,000 pixels", hugePNG(t), 413, problem.CodeImageTooLarge},
		{"JPEG cut within its headers", good[:40], 422, problem.CodeDecodeFailed},
		{"text named .jpg", []byte(strings.Repeat("no photo at all\n", 100)), 415, problem.CodeUnsupportedFormat},
		{"SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><script>alert(1)</script></svg>`), 415, problem.CodeUnsupportedFormat},
		{"HEIC", append([]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), make([]byte, 500)...), 415, problem.CodeUnsupportedFormat},
		{"animated GIF", animatedGIF(t), 415, problem.CodeUnsupportedFormat},
		{"zip bomb", zipBomb(t), 415, problem.CodeUnsupportedFormat},
	}
}

func TestBadFilesAreRefusedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	for _, bad := range badFiles(t) {
		t.Run(bad.name, func(t *testing.T) {
			body, kind := multipartBody(t, part{field: "file", filename: "a.jpg", data: bad.data})
			d.refuses(t, d.ask(t, d.ann, http.MethodPost, "/v1/detections", body, map[string]string{"Content-Type": kind}), bad.status, bad.code)

			// Without a length, as a client that streams sends it.
			body, kind = multipartBody(t, part{field: "file", filename: "a.jpg", data: bad.data})
			d.refuses(t, d.ask(t, d.ann, http.MethodPost, "/v1/detections", io.MultiReader(body), map[string]string{"Content-Type": kind}), bad.status, bad.code)

			text := `{"image":{"base64":"` + base64.StdEncoding.EncodeToString(bad.data) + `"}}`
			d.refuses(t, d.ask(t, d.ann, http.MethodPost, "/v1/detections", strings.NewReader(text), jsonBody()), bad.status, bad.code)

			body, kind = multipartBody(t, part{field: "username", data: []byte("ann")}, part{field: "password", data: []byte(d.ann.password)},
				part{field: "file", filename: "a.jpg", data: bad.data})
			d.refusesAncestor(t, d.ask(t, person{}, http.MethodPost, "/api/upload", body, map[string]string{"Content-Type": kind}), bad.status)
		})
	}
	d.storedNothing(t)
}

func TestBadRequestsAreRefusedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	good := photo(t)
	file := part{field: "file", filename: "a.jpg", data: good}
	multi := func(parts ...part) (io.Reader, string) { return multipartBody(t, parts...) }
	plain := func(kind, text string) func() (io.Reader, string) {
		return func() (io.Reader, string) { return strings.NewReader(text), kind }
	}
	named := func(disposition string) func() (io.Reader, string) {
		return plain("multipart/form-data; boundary=b",
			"--b\r\nContent-Disposition: form-data; name=\"file\"; "+disposition+"\r\n\r\n"+string(good)+"\r\n--b--\r\n")
	}
	cases := []struct {
		name   string
		body   func() (io.Reader, string)
		status int
		code   string
	}{
		{"no body", plain("multipart/form-data; boundary=b", ""), 400, problem.CodeEmptyBody},
		{"no body at all", plain("", ""), 400, problem.CodeEmptyBody},
		{"no file", func() (io.Reader, string) { return multi(part{field: "metadata", data: []byte("{}")}) }, 400, problem.CodeMissingField},
		{"file in another field", func() (io.Reader, string) { return multi(part{field: "photo", filename: "a.jpg", data: good}) }, 400, problem.CodeMissingField},
		{"two files", func() (io.Reader, string) { return multi(file, file) }, 400, problem.CodeTooManyFiles},
		{"unknown field", func() (io.Reader, string) { return multi(file, part{field: "colour", data: []byte("red")}) }, 400, problem.CodeUnexpectedParameter},
		{"metadata too long", plain("application/json", `{"image":{"url":"https://a.example/"},"metadata":{"a":"`+strings.Repeat("x", 513)+`"}}`), 400, problem.CodeInvalidRequest},
		{"metadata not an object of strings", func() (io.Reader, string) { return multi(file, part{field: "metadata", data: []byte(`{"a":1}`)}) }, 400, problem.CodeInvalidRequest},
		{"not multipart", plain("image/jpeg", string(good)), 400, problem.CodeNotMultipart},
		{"no boundary", plain("multipart/form-data", "x"), 400, problem.CodeNotMultipart},
		{"cut multipart", plain("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\nxx"), 400, problem.CodeInvalidRequest},
		{"part with an endless header", plain("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\nX: "+strings.Repeat("a", 1<<20)+"\r\n\r\nxx\r\n--b--"), 400, problem.CodeInvalidRequest},
		{"name with a path", named(`filename="../../etc/passwd"`), 400, problem.CodeInvalidName},
		{"name with a Windows path", named(`filename="C:\\secret\\a.jpg"`), 400, problem.CodeInvalidName},
		{"name with a control character", named(`filename*=UTF-8''a%00b.jpg`), 400, problem.CodeInvalidName},
		{"JSON cut short", plain("application/json", `{"image":`), 400, problem.CodeInvalidRequest},
		{"JSON without an image", plain("application/json", `{}`), 400, problem.CodeMissingField},
		{"JSON with two sources", plain("application/json", `{"image":{"url":"https://a.example/","base64":"AA=="}}`), 400, problem.CodeMissingField},
		{"JSON with an unknown field", plain("application/json", `{"image":{"url":"https://a.example/"},"colour":1}`), 400, problem.CodeUnexpectedParameter},
		{"JSON with broken base64", plain("application/json", `{"image":{"base64":"%%%"}}`), 400, problem.CodeInvalidRequest},
		{"link of another scheme", plain("application/json", `{"image":{"url":"file:///etc/passwd"}}`), 400, problem.CodeInvalidLink},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			body, kind := c.body()
			d.refuses(t, d.ask(t, d.ann, http.MethodPost, "/v1/detections", body, map[string]string{"Content-Type": kind}), c.status, c.code)
		})
	}
	t.Run("compressed body", func(t *testing.T) {
		body, kind := multi(file)
		d.refuses(t, d.ask(t, d.ann, http.MethodPost, "/v1/detections", body,
			map[string]string{"Content-Type": kind, "Content-Encoding": "gzip"}), 415, problem.CodeUnsupportedFormat)
	})
	for name, who := range map[string]person{"nobody": {}, "unknown key": {key: "mf_unknown"}} {
		t.Run(name, func(t *testing.T) {
			d.refuses(t, d.post(t, who, good, nil), 401, "")
		})
	}
	d.storedNothing(t)
}

// refuses checks a refusal of /v1: its status, its code ("" for any), a sentence and
// nothing internal.
func (d *door) refuses(t *testing.T, a answer, status int, code string) {
	t.Helper()
	var got problem.Document
	a.into(t, &got)
	if a.status != status || got.Status != status || (code != "" && got.Code != code) {
		t.Errorf("got %d %s, want %d %s", a.status, a.body, status, code)
	}
	if !strings.Contains(got.Detail, " ") || !strings.HasSuffix(got.Detail, ".") || strings.Contains(string(a.body), "127.0.0.1") {
		t.Errorf("the sentence is %q in %s", got.Detail, a.body)
	}
}

func (d *door) refusesAncestor(t *testing.T, a answer, status int) {
	t.Helper()
	var got ancestorFailure
	a.into(t, &got)
	if a.status != status || got.Success || got.Error.Code != status || !strings.HasSuffix(got.Error.Message, ".") {
		t.Errorf("got %d %s, want %d in the ancestor's shape", a.status, a.body, status)
	}
}

func (d *door) storedNothing(t *testing.T) {
	t.Helper()
	if n := d.photosStored(t); n != 0 {
		t.Errorf("%d rows are stored", n)
	}
	if n := stepsTaken(t, d, "store original"); n != 0 {
		t.Errorf("%d originals were stored", n)
	}
	eventually(t, "no bytes are held", func() bool {
		d.admission.memory.mu.Lock()
		defer d.admission.memory.mu.Unlock()
		return d.admission.memory.held == 0
	})
}

// stepsTaken counts how often a step of an acceptance was begun.
func stepsTaken(t *testing.T, d *door, step string) uint64 {
	t.Helper()
	families, err := d.tel.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "maskfleet_ingest_accept_step_duration_seconds" {
			continue
		}
		for _, m := range family.GetMetric() {
			if m.GetLabel()[0].GetValue() == step {
				return m.GetHistogram().GetSampleCount()
			}
		}
	}
	return 0
}

func jsonBody() map[string]string { return map[string]string{"Content-Type": "application/json"} }

// hugePNG is a PNG whose header promises 50,000 x 50,000 pixels in about 1 kB.
func hugePNG(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		whole := append([]byte(kind), data...)
		size := make([]byte, 4)
		binary.BigEndian.PutUint32(size, uint32(len(data)))
		out.Write(size)
		out.Write(whole)
		out.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(whole)))
	}
	header := binary.BigEndian.AppendUint32(nil, 50_000)
	header = binary.BigEndian.AppendUint32(header, 50_000)
	chunk("IHDR", append(header, 8, 2, 0, 0, 0))
	chunk("IDAT", make([]byte, 900))
	chunk("IEND", nil)
	return out.Bytes()
}

func animatedGIF(t *testing.T) []byte {
	t.Helper()
	frame := image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{color.Black, color.White})
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zipBomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	to, err := w.Create("a.jpg")
	if err == nil {
		_, err = to.Write(make([]byte, 8<<20))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
