package ingest

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"testing"

	"maskfleet/pkg/webui/browser"
)

// TestPhotoIsSavedAndDeletedInABrowser: both pictures of a photo as files, and the
// dialog that asks before it is deleted.
func TestPhotoIsSavedAndDeletedInABrowser(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	var original bytes.Buffer
	if err := png.Encode(&original, image.NewRGBA(image.Rect(0, 0, 200, 100))); err != nil {
		t.Fatal(err)
	}
	body, kind := multipartBody(t, part{field: "file", filename: "Tor 7 – früh.png", data: original.Bytes()})
	id := detectionOf(t, d.ask(t, d.ann, http.MethodPost, "/v1/detections", body, map[string]string{"Content-Type": kind}), http.StatusAccepted).ID
	d.work(t, id)
	tab := browser.Open(t)
	logIn(tab, d, d.ann)
	tab.Go(d.url + "/photos/" + id.String())

	if name, data := tab.Save(`.downloads a[href*="original"]`); name != "Tor 7 – früh.png" || !bytes.Equal(data, original.Bytes()) {
		t.Errorf("the original is saved as %q, %d bytes", name, len(data))
	}
	if name, data := tab.Save(`.downloads a[href*="annotated"]`); name != "Tor 7 – früh-marked.jpg" || !bytes.HasPrefix(data, []byte("\xff\xd8\xff")) {
		t.Errorf("the marked copy is saved as %q, %d bytes", name, len(data))
	}
	wellBehaved(t, tab)

	tab.Click(".downloads .danger")
	if asked := tab.See("#delete-photo p"); asked != "Tor 7 – früh.png, its marked copy and its result are erased. This can’t be undone." {
		t.Errorf("it asks %q", asked)
	}
	tab.Click(`#delete-photo button[value=""]`)
	tab.Await(`!document.querySelector('#delete-photo').open`)
	if n := len(d.photosOf(t, d.ann)); n != 1 {
		t.Fatalf("who keeps a photo has %d", n)
	}
	tab.Click(".downloads .danger")
	tab.Click("#delete-photo .main")
	if said := tab.See(".notice.good"); len(d.photosOf(t, d.ann)) != 0 {
		t.Errorf("the photo is there, though the page says %q", said)
	}
	wellBehaved(t, tab)
}
