package apiv1_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/apiv1"
	"maskfleet/pkg/job"
)

func sampleID() job.ID { return uuid.MustParse("01890f3e-7b1a-7c00-8000-000000000001") }

func encoded(t *testing.T, p job.Photo) string {
	t.Helper()
	text, err := json.MarshalIndent(apiv1.NewDetection(p), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDetectionOfASucceededPhoto(t *testing.T) {
	t.Parallel()
	got := encoded(t, job.Photo{
		ID: sampleID(), Filename: "a.jpg", SHA256: "ab12", Width: 1080, Height: 1920, WorkerID: "w-1",
		Metadata:  map[string]string{"gate": "7"},
		CreatedAt: time.Date(2026, 11, 23, 15, 20, 1, 120e6, time.UTC), DoneAt: time.Date(2026, 11, 23, 15, 20, 2, 0, time.UTC),
		Row: job.Row{State: job.StateSucceeded, Attempts: 1},
		Result: &job.Result{
			Width: 1920, Height: 1080, // upright; the header said otherwise
			Faces: []job.Face{
				{Label: job.LabelMasked, Confidence: 0.97, Box: job.Box{XMin: 230, YMin: 86, XMax: 326, YMax: 184}},
				{Label: job.LabelIncorrect, Confidence: 0.5, Box: job.Box{XMin: 0, YMin: 0, XMax: 1920, YMax: 1080}},
			},
			Model:  job.Model{Name: "m", Version: "2"},
			Timing: job.Timing{Queued: 18 * time.Millisecond, Fetch: 2600 * time.Microsecond, Inference: 14 * time.Millisecond, Total: 41 * time.Millisecond},
		},
	})
	want := `{
 "custom_id": null,
 "id": "01890f3e-7b1a-7c00-8000-000000000001",
 "batch_id": null,
 "status": "succeeded",
 "error": null,
 "category": "some_masked",
 "num_faces": 2,
 "num_masked": 1,
 "num_unmasked": 1,
 "image": {
  "width": 1920,
  "height": 1080,
  "sha256": "ab12",
  "filename": "a.jpg"
 },
 "faces": [
  {
   "index": 0,
   "label": "masked",
   "confidence": 0.97,
   "box": {
    "left": 0.119792,
    "top": 0.07963,
    "width": 0.05,
    "height": 0.090741
   },
   "box_px": {
    "x_min": 230,
    "y_min": 86,
    "x_max": 326,
    "y_max": 184
   }
  },
  {
   "index": 1,
   "label": "incorrect",
   "confidence": 0.5,
   "box": {
    "left": 0,
    "top": 0,
    "width": 1,
    "height": 1
   },
   "box_px": {
    "x_min": 0,
    "y_min": 0,
    "x_max": 1920,
    "y_max": 1080
   }
  }
 ],
 "model": {
  "name": "m",
  "version": "2"
 },
 "timing_ms": {
  "queued": 18,
  "fetch": 3,
  "inference": 14,
  "total": 41
 },
 "attempts": 1,
 "worker_id": "w-1",
 "created_at": "2026-11-23T15:20:01.120Z",
 "finished_at": "2026-11-23T15:20:02.000Z",
 "metadata": {
  "gate": "7"
 }
}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("detection (-want +got):\n%s", diff)
	}
}

func TestDetectionWithoutFacesIsASuccess(t *testing.T) {
	t.Parallel()
	d := apiv1.NewDetection(job.Photo{Row: job.Row{State: job.StateSucceeded}, Result: &job.Result{Width: 10, Height: 10}})
	if d.Category == nil || *d.Category != job.CategoryNoFaces || d.Faces == nil || len(d.Faces) != 0 || d.Error != nil {
		t.Errorf("got %+v, want a success of category no_faces with an empty list of faces", d)
	}
}

func TestDetectionErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("dial tcp 10.0.0.7")
	cases := []struct {
		name  string
		photo job.Photo
		want  *apiv1.Error
	}{
		{
			"failed",
			job.Photo{Row: job.Row{State: job.StateFailed}, Failure: job.Fail(job.CodeDecodeFailed, cause)},
			&apiv1.Error{job.CodeDecodeFailed, "The photo is damaged and cannot be opened.", false},
		},
		{"failed attempt, another follows", job.Photo{Row: job.Row{State: job.StateQueued}, Failure: job.Fail(job.CodeInternal, cause)}, nil},
		{
			"cancelled",
			job.Photo{Row: job.Row{State: job.StateCancelled}},
			&apiv1.Error{job.CodeCancelled, "The photo was cancelled before it was processed.", false},
		},
		{
			"expired",
			job.Photo{Row: job.Row{State: job.StateExpired}},
			&apiv1.Error{job.CodeExpired, "The photo waited longer than its time limit.", true},
		},
		{"processing", job.Photo{Row: job.Row{State: job.StateProcessing}}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, apiv1.NewDetection(c.photo).Error); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}
