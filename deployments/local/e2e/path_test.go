package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/vision/visiontest"
)

// twoFaces is a drawn photo of one person with a mask and one without.
func twoFaces() []byte {
	return visiontest.JPEG(960, 540,
		visiontest.Face{Centre: image.Pt(300, 250), Radius: 90, Masked: true},
		visiontest.Face{Centre: image.Pt(660, 250), Radius: 90},
	)
}

// TestOnePhotoThroughEveryStep follows a photo from the upload to its result and its
// three pictures, as an integrator would.
func TestOnePhotoThroughEveryStep(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	id := e.submit(t, 1, twoFaces())[0]
	e.awaitState(t, id, job.StateSucceeded)

	var got struct {
		Status   string `json:"status"`
		Category string `json:"category"`
		Faces    int    `json:"num_faces"`
		Masked   int    `json:"num_masked"`
		Unmasked int    `json:"num_unmasked"`
		Attempts int    `json:"attempts"`
		Image    struct {
			Width  int    `json:"width"`
			Height int    `json:"height"`
			SHA256 string `json:"sha256"`
		} `json:"image"`
	}
	e.getJSON(t, "/v1/detections/"+id.String(), &got)
	if got.Status != "succeeded" || got.Category != "some_masked" || got.Faces != 2 || got.Masked != 1 || got.Unmasked != 1 {
		t.Errorf("got %+v, want two faces, one with a mask", got)
	}
	if got.Attempts != 1 || got.Image.Width != 960 || got.Image.Height != 540 || len(got.Image.SHA256) != 64 {
		t.Errorf("got %+v", got)
	}
	for variant, width := range map[string]int{"original": 960, "annotated": 960, "thumbnail": 320} {
		data := e.getBytes(t, "/v1/detections/"+id.String()+"/image?variant="+variant)
		picture, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || picture.Width != width {
			t.Errorf("%s: %d pixels wide, %v; want %d", variant, picture.Width, err, width)
		}
	}
	e.settled(t)
}

// TestPhotoFromALink: the worker fetches it, the door and the slot never do.
func TestPhotoFromALink(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(twoFaces())
	}))
	t.Cleanup(site.Close)
	e := newEnv(t, setting{"inference-worker", "FETCH_ALLOW", site.Listener.Addr().String()})

	good := e.submitLink(t, site.URL+"/gate.jpg")
	p := e.awaitState(t, good, job.StateSucceeded)
	if c := job.Count(p.Result.Faces); c.Masked != 1 || c.Unmasked != 1 {
		t.Errorf("got %+v, want one face with a mask and one without", c)
	}
	if data := e.getBytes(t, "/v1/detections/"+good.String()+"/image?variant=original"); !bytes.Equal(data, twoFaces()) {
		t.Errorf("the original differs from what the link gave: %d bytes", len(data))
	}
	for _, link := range []string{"http://" + e.info.MySQL.Address + "/", "http://169.254.169.254/latest/meta-data/"} {
		id := e.submitLink(t, link)
		p := e.awaitState(t, id, job.StateFailed)
		if p.Failure.Code != job.CodeFetchForbidden || p.Row.Attempts != 1 {
			t.Errorf("%s: ended %v after %d attempts, want fetch_forbidden after 1", link, p.Failure, p.Row.Attempts)
		}
	}
	e.settled(t)
}

func (e *env) submitLink(t *testing.T, link string) job.ID {
	t.Helper()
	body, err := json.Marshal(map[string]any{"image": map[string]string{"url": link}})
	if err != nil {
		t.Fatal(err)
	}
	resp := e.do(t, http.MethodPost, "/v1/detections", "application/json", bytes.NewReader(body))
	defer resp.Body.Close()
	var accepted struct {
		ID job.ID `json:"id"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&accepted); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%s: status %d, %v", link, resp.StatusCode, err)
	}
	e.mu.Lock()
	e.accepted = append(e.accepted, accepted.ID)
	e.mu.Unlock()
	return accepted.ID
}

// TestAncestorsEndpoints speaks as the course's test rig does.
func TestAncestorsEndpoints(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	name := "rig-" + uuid.NewString()
	register := map[string]string{"username": name, "password": "pass"}
	if status, body := e.form(t, "/api/register", register, nil); status != http.StatusOK || body["success"] != true {
		t.Fatalf("register: %d %v", status, body)
	}
	if status, body := e.form(t, "/api/register", register, nil); status != http.StatusConflict || body["success"] != false {
		t.Errorf("register twice: %d %v", status, body)
	}
	status, body := e.form(t, "/api/upload", register, twoFaces())
	payload, _ := body["payload"].(map[string]any)
	if status != http.StatusOK || body["success"] != true || payload["num_faces"] != 2.0 || payload["num_masked"] != 1.0 || payload["num_unmasked"] != 1.0 {
		t.Errorf("upload: %d %v", status, body)
	}
	register["password"] = "wrong"
	if status, body := e.form(t, "/api/upload", register, twoFaces()); status != http.StatusUnauthorized || body["success"] != false {
		t.Errorf("upload with a wrong password: %d %v", status, body)
	}
	if status, body := e.form(t, "/api/upload?username="+name, register, twoFaces()); status != http.StatusBadRequest || body["success"] != false {
		t.Errorf("upload with a parameter in the URL: %d %v", status, body)
	}
}

// form posts fields, and a file if there is one, as multipart.
func (e *env) form(t *testing.T, path string, fields map[string]string, file []byte) (int, map[string]any) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		if err := form.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if file != nil {
		part, err := form.CreateFormFile("file", "a.jpg")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(file); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	resp := e.do(t, http.MethodPost, path, form.FormDataContentType(), &body)
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatalf("%s: status %d: %v", path, resp.StatusCode, err)
	}
	return resp.StatusCode, answer
}

func (e *env) do(t *testing.T, method, path, contentType string, body io.Reader) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.info.URLs.Web+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+e.info.APIKey)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := e.web.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func (e *env) getBytes(t *testing.T, path string) []byte {
	t.Helper()
	resp := e.do(t, http.MethodGet, path, "", nil)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d: %.200s", path, resp.StatusCode, data)
	}
	return data
}

func (e *env) getJSON(t *testing.T, path string, into any) {
	t.Helper()
	data := e.getBytes(t, path)
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(fmt.Errorf("%s: %w in %.200s", path, err, data))
	}
}
