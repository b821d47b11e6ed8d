package clienttest

import (
	"net/http"

	"maskfleet/pkg/client"
)

// Detections end at once, or at the first question if nobody waits.

func (d *Door) createDetection(r *http.Request) (int, any) {
	b := d.newBatch([]client.Item{{}})
	if r.Header.Get("Prefer") == "" {
		return http.StatusAccepted, b.items[0].now
	}
	b.finish(-1)
	return http.StatusOK, b.items[0].now
}

func (d *Door) detection(r *http.Request) (int, any) {
	for _, b := range d.batches {
		for i := range b.items {
			if b.items[i].now.ID == r.PathValue("id") {
				b.finish(-1)
				return http.StatusOK, b.items[i].now
			}
		}
	}
	return http.StatusNotFound, "not_found"
}

func (d *Door) image(r *http.Request) (int, any) {
	return http.StatusFound, redirect("http://" + r.Host + "/s3/" + r.PathValue("id") + "?X-Amz-Signature=secret")
}

func limits(*http.Request) (int, any) {
	return http.StatusOK, map[string]any{
		"photo":   map[string]any{"max_bytes": 1 << 20, "formats": []string{"jpeg", "png", "webp", "bmp"}},
		"batch":   map[string]any{"max_items_manifest": maxItems},
		"uploads": map[string]any{"max_files": maxUploads},
		"later":   true,
	}
}
