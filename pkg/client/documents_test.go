package client_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/client"
)

// TestDocumentsOfTheContract reads the documents of docs/api.md as they stand there.
func TestDocumentsOfTheContract(t *testing.T) {
	t.Parallel()
	const result = `{"custom_id": "gate-7-0001", "id": "d1", "status": "succeeded", "error": null,
     "category": "some_masked", "num_faces": 1, "num_masked": 1, "num_unmasked": 0,
     "image": {"width": 1920, "height": 1080, "sha256": "ab", "filename": "a.jpg"},
     "faces": [{"index": 0, "label": "masked", "confidence": 0.97,
                "box": {"left": 0.12, "top": 0.08, "width": 0.05, "height": 0.09},
                "box_px": {"x_min": 230, "y_min": 86, "x_max": 326, "y_max": 184}}],
     "model": {"name": "m", "version": "1"},
     "timing_ms": {"queued": 18, "fetch": 3, "inference": 14, "total": 41}, "attempts": 1, "worker_id": "w", "new": {}}`
	check(t, result, client.Detection{
		ID: "d1", CustomID: "gate-7-0001", Status: client.Succeeded, Category: client.SomeMasked, NumFaces: 1, NumMasked: 1,
		Image: client.ImageInfo{Width: 1920, Height: 1080, SHA256: "ab", Filename: "a.jpg"},
		Faces: []client.Face{{
			Label: client.Masked, Confidence: 0.97,
			Box: client.Box{Left: 0.12, Top: 0.08, Width: 0.05, Height: 0.09}, BoxPX: client.PixelBox{XMin: 230, YMin: 86, XMax: 326, YMax: 184},
		}},
		Model: &client.Model{Name: "m", Version: "1"}, Timing: &client.Timing{Queued: 18, Fetch: 3, Inference: 14, Total: 41},
		Attempts: 1, WorkerID: "w",
	})
	const waiting = `{"custom_id": null, "id": "d2", "batch_id": null, "status": "queued", "error": null, "category": null,
     "num_faces": null, "num_masked": null, "num_unmasked": null, "image": {"width": 0, "height": 0, "sha256": "", "filename": ""},
     "faces": null, "model": null, "timing_ms": null, "attempts": 0, "worker_id": null, "finished_at": null}`
	check(t, waiting, client.Detection{ID: "d2", Status: client.Queued})
	const failed = `{"id": "b1", "status": "failed", "run": 1, "source": "manifest",
     "counts": {"total": 0, "queued": 0, "processing": 0, "succeeded": 0, "failed": 0, "cancelled": 0, "expired": 0},
     "summary": {"no_faces": 0, "num_faces": 0},
     "created_at": "2026-11-23T15:20:01.123Z", "started_at": null, "finished_at": "2026-11-23T15:20:02Z", "expires_at": null, "estimated_done_at": null,
     "links": {"self": "/v1/batches/b1"},
     "error": {"code": "invalid_manifest", "message": "No.", "errors": [{"line": 12, "message": "again"}]}}`
	finished := time.Date(2026, 11, 23, 15, 20, 2, 0, time.UTC)
	check(t, failed, client.Batch{
		ID: "b1", Status: client.BatchFailed, Run: 1, Source: "manifest",
		CreatedAt: time.Date(2026, 11, 23, 15, 20, 1, 123e6, time.UTC), FinishedAt: &finished,
		Links: client.BatchLinks{Self: "/v1/batches/b1"},
		Error: &client.BatchError{Code: "invalid_manifest", Message: "No.", Errors: []client.LineError{{Line: 12, Message: "again"}}},
	})
}

func check[T any](t *testing.T, document string, want T) {
	t.Helper()
	var got T
	if err := json.Unmarshal([]byte(document), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
