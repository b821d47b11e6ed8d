package ingest

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/webui/browser"
)

// work does a worker's part for a photo with pictures a browser can show: three
// faces, two with masks.
func (d *door) work(t *testing.T, id job.ID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	waiting, err := d.store.Find(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	photo, refusal, _, err := d.store.Claim(ctx, id, waiting.Row.Publication, "worker-of-test", time.Minute)
	if err != nil || refusal != job.RefusedNone {
		t.Fatalf("claiming %s: %q, %v", id, refusal, err)
	}
	result := job.Result{
		Faces: []job.Face{
			{Label: job.LabelMasked, Confidence: 0.97, Box: job.Box{XMin: 10, YMin: 20, XMax: 50, YMax: 70}},
			{Label: job.LabelUnmasked, Confidence: 0.91, Box: job.Box{XMin: 70, YMin: 20, XMax: 110, YMax: 70}},
			{Label: job.LabelMasked, Confidence: 0.66, Box: job.Box{XMin: 130, YMin: 20, XMax: 170, YMax: 70}},
		},
		Width: 200, Height: 100, Model: job.Model{Name: "test", Version: "1"},
		Timing:       job.Timing{Queued: 18 * time.Millisecond, Inference: 84 * time.Millisecond, Total: 131 * time.Millisecond},
		AnnotatedKey: imagestore.ResultKey(photo, photo.Row.Fence, "annotated"),
		ThumbnailKey: imagestore.ResultKey(photo, photo.Row.Fence, "thumbnail"),
	}
	keys := []string{result.AnnotatedKey, result.ThumbnailKey}
	if photo.Source == job.SourceLink {
		result.OriginalKey, result.ContentType = imagestore.OriginalKey(photo), "image/jpeg"
		keys = append(keys, result.OriginalKey)
	}
	for _, key := range keys {
		if err := d.images.Put(ctx, key, "image/jpeg", landscape(t)); err != nil {
			t.Fatal(err)
		}
	}
	if done, err := d.store.Finish(ctx, id, photo.Row.Fence, result); err != nil || !done {
		t.Fatalf("finishing %s: %v, %v", id, done, err)
	}
	if err := d.cache.Notify(ctx, id); err != nil {
		t.Fatal(err)
	}
}

// storesOfPages has a Redis of its own, because tries to log in are counted there.
func storesOfPages(t *testing.T) stores {
	t.Helper()
	st := sharedStores(t)
	st.redis = testenv.NewRedis(t).Config()
	return st
}

// landscape makes a JPEG of 200 by 100 pixels.
func landscape(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 200, 100))
	for x := range 200 {
		for y := range 100 {
			img.Set(x, y, color.RGBA{R: uint8(x), G: uint8(2 * y), B: 120, A: 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// photosOf lists a person's photos, the newest first.
func (d *door) photosOf(t *testing.T, p person) []job.Photo {
	t.Helper()
	photos, err := d.store.List(t.Context(), jobstore.Filter{OwnerID: p.user.ID, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return photos
}

// files writes files for a browser to choose.
func files(t *testing.T, contents map[string][]byte) []string {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for name, data := range contents {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func logIn(tab *browser.Tab, d *door, p person) {
	tab.Go(d.url + "/")
	tab.Type("#username", p.user.Username)
	tab.Type("#password", p.password)
	tab.Click("main button")
	tab.See(".drop")
}

func wellBehaved(t *testing.T, tab *browser.Tab) {
	t.Helper()
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}

func TestPagesFromUploadToResult(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	tab := browser.Open(t)
	tab.Go(d.url + "/photos")
	tab.Type("#username", "ann")
	tab.Type("#password", "wrong")
	tab.Click("main button")
	if said := tab.See("[role=alert]"); !strings.Contains(said, "wrong") {
		t.Errorf("a wrong password is answered with %q", said)
	}
	tab.Problems() // the browser notes the 401
	tab.Type("#password", d.ann.password)
	tab.Click("main button")
	tab.See(".empty")
	if at := tab.Address(); at != d.url+"/photos" {
		t.Errorf("the log-in led to %s", at)
	}
	tab.Click("main .head .button")
	wellBehaved(t, tab)

	tab.Choose("#file", files(t, map[string][]byte{
		"a.jpg": landscape(t), "b.jpg": landscape(t), "c.jpg": landscape(t), "notes.jpg": []byte("only words"),
	})...)
	tab.Await(`document.querySelectorAll('.card[data-open]').length === 3`)
	if said := tab.See(".card.failed .outcome"); !strings.Contains(said, "not a JPEG") {
		t.Errorf("text named .jpg is answered with %q", said)
	}
	tab.Problems() // the browser notes the 415
	drop(tab, "dropped.txt")
	tab.Await(`document.querySelectorAll('.card.failed').length === 2 && document.querySelector('.card.failed .name').textContent === 'dropped.txt'`)
	tab.Problems() // and another
	for _, p := range d.photosOf(t, d.ann) {
		d.work(t, p.ID)
	}
	tab.Await(`document.querySelectorAll('.card.succeeded').length === 3`)
	if said := tab.See(".card.succeeded .outcome"); said != "3 faces, 2 with masks" {
		t.Errorf("the card says %q", said)
	}
	tab.Await(`[...document.querySelectorAll('.card.succeeded img')].every((i) => i.complete && i.naturalWidth && !i.src.startsWith('blob:'))`)
	tab.Go(d.url + "/") // coming back loses nothing
	tab.Await(`document.querySelectorAll('.card.succeeded').length === 3`)
	wellBehaved(t, tab)

	tab.Click(".card a.name")
	photoPage(t, tab)
	throughTheList(t, tab, d)
	wellBehaved(t, tab)
}

// drop drops a file of words onto the page.
func drop(tab *browser.Tab, name string) {
	browser.Eval[bool](tab, `(() => {
		const dataTransfer = new DataTransfer();
		dataTransfer.items.add(new File(['only words'], '`+name+`'));
		for (const type of ['dragenter', 'dragover', 'drop']) {
			document.getElementById('drop').dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
		}
		return true;
	})()`)
}

// photoPage looks at a page of three faces.
func photoPage(t *testing.T, tab *browser.Tab) {
	t.Helper()
	if said := tab.See(".verdict"); said != "3 faces, 2 with masks" {
		t.Errorf("the photo page says %q", said)
	}
	tab.Await(`document.querySelector('.stage img').complete && document.querySelector('.stage img').naturalWidth === 200`)
	tab.Click("#face-2")
	tab.Await(`document.querySelector('a.box.lit')?.dataset.face === '2'`)
	tab.Click(`a.box[data-face="1"]`)
	tab.Await(`document.querySelector('.faces .lit')?.dataset.face === '1'`)
	tab.Click(`[data-show] a:last-child`)
	tab.Await(`document.querySelector('.stage img').src.endsWith('/annotated') && document.querySelector('.stage img').complete && document.querySelector('.stage img').naturalWidth > 0`)
	if browser.Eval[bool](tab, `Boolean(document.querySelector('[data-boxes]'))`) {
		t.Error("the marked copy has boxes laid over it as well")
	}
}

func throughTheList(t *testing.T, tab *browser.Tab, d *door) {
	t.Helper()
	tab.Go(d.url + "/photos?category=some_masked")
	if rows := browser.Eval[int](tab, `document.querySelectorAll('tbody tr').length`); rows != 3 {
		t.Errorf("the list has %d photos, want 3", rows)
	}
	tab.Click("tbody tr:first-child a.row")
	tab.See(".verdict")
	tab.Await(`document.readyState === 'complete'`) // the keys are listened to
	first := tab.Address()
	tab.Press(kb.ArrowRight)
	tab.Await(`location.pathname !== '` + path(t, first) + `' && Boolean(document.querySelector('[data-newer]')) && document.readyState === 'complete'`)
	tab.Press(kb.ArrowLeft)
	tab.Await(`location.pathname === '` + path(t, first) + `'`)
	tab.Go(d.url + "/photos?category=no_faces")
	tab.See(".empty")
}

func path(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Path
}

func TestPagesFollowALink(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	tab := browser.Open(t)
	logIn(tab, d, d.ann)
	tab.Type("#link", "https://ann:secret@cameras.example/a.jpg")
	tab.Click("#by-link button")
	tab.See("#by-link .wrong")
	tab.Problems() // the browser notes the refusal
	tab.Go(d.url + "/")
	tab.Type("#link", "https://cameras.example/gate/0815.jpg")
	tab.Click("#by-link button")
	tab.Click(".card[data-open] a.name")
	tab.See(".waiting")
	tab.Await(`Boolean(document.querySelector('main.photo[data-state=queued]'))`)
	d.work(t, d.photosOf(t, d.ann)[0].ID)
	if said := tab.See(".verdict"); said != "3 faces, 2 with masks" { // without anybody reloading
		t.Errorf("the page says %q", said)
	}
	wellBehaved(t, tab)
}

func TestPagesWithoutScript(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	tab := browser.Open(t)
	tab.NoScript()
	logIn(tab, d, d.ann)
	tab.Choose("#file", files(t, map[string][]byte{"a.jpg": landscape(t)})...)
	tab.Click("#drop button")
	tab.See(".waiting")
	photo := d.photosOf(t, d.ann)[0]
	if at := tab.Address(); at != d.url+"/photos/"+photo.ID.String() {
		t.Errorf("the upload led to %s", at)
	}
	d.work(t, photo.ID)
	if said := tab.See(".verdict"); said != "3 faces, 2 with masks" {
		t.Errorf("the page says %q", said)
	}
	tab.Go(d.url + "/")
	tab.Choose("#file", files(t, map[string][]byte{"b.jpg": landscape(t), "c.jpg": landscape(t), "notes.jpg": []byte("words")})...)
	tab.Click("#drop button")
	if said := tab.See("[role=alert]"); !strings.HasPrefix(said, "notes.jpg was not accepted.") {
		t.Errorf("the refused file is told by %q", said)
	}
	if n := len(d.photosOf(t, d.ann)); n != 3 {
		t.Errorf("%d photos were accepted, want 3", n)
	}
}

func TestPagesAccountKeys(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	bob := d.bob
	if keys, err := d.store.ListAPIKeys(t.Context(), bob.user.ID); err != nil || d.store.RevokeAPIKey(t.Context(), bob.user.ID, keys[0].ID) != nil {
		t.Fatal("the test's own key is in the way")
	}
	tab := browser.Open(t)
	logIn(tab, d, bob)
	tab.Go(d.url + "/account")
	tab.See(".empty")
	tab.Type("#name", "gate cameras")
	tab.Click("form.panel button")
	bob.key = tab.See("#new-key")
	if got := d.ask(t, bob, http.MethodGet, "/v1/limits", nil, nil).status; got != http.StatusOK {
		t.Errorf("the new key is answered with %d", got)
	}
	tab.Go(d.url + "/account")
	if browser.Eval[bool](tab, `document.body.textContent.includes('`+bob.key+`')`) {
		t.Error("the key is shown a second time")
	}
	tab.Click(".keys .danger")
	tab.Click("dialog .danger")
	tab.See(".empty")
	if got := d.ask(t, bob, http.MethodGet, "/v1/limits", nil, nil).status; got != http.StatusUnauthorized {
		t.Errorf("the revoked key is answered with %d", got)
	}
	wellBehaved(t, tab)
	tab.Click(".who form button")
	tab.See("#username")
}
