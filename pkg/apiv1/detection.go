package apiv1

import (
	"errors"
	"math"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// Detection is a photo and what was found in it, as the API shows it: the line of a
// result file and the answer about one photo alike. What is not known yet is null.
type Detection struct {
	CustomID    *string       `json:"custom_id"`
	ID          job.ID        `json:"id"`
	BatchID     *uuid.UUID    `json:"batch_id"`
	Status      job.State     `json:"status"`
	Error       *Error        `json:"error"`
	Category    *job.Category `json:"category"`
	NumFaces    *int          `json:"num_faces"`
	NumMasked   *int          `json:"num_masked"`
	NumUnmasked *int          `json:"num_unmasked"`
	Image       Image         `json:"image"`
	Faces       []Face        `json:"faces"`
	Model       *job.Model    `json:"model"`
	TimingMS    *Timing       `json:"timing_ms"`
	Attempts    int           `json:"attempts"`
	// EstimatedWaitMS is how long it may take until the photo is done.
	EstimatedWaitMS *int64            `json:"estimated_wait_ms,omitempty"`
	WorkerID        *string           `json:"worker_id"`
	CreatedAt       Moment            `json:"created_at"`
	FinishedAt      *Moment           `json:"finished_at"`
	Metadata        map[string]string `json:"metadata,omitempty"`
}

// Error is why a photo ended without a result.
type Error struct {
	Code      job.Code `json:"code"`
	Message   string   `json:"message"`
	Retryable bool     `json:"retryable"`
}

// Image is the photo itself: what is known of it, not what it shows.
type Image struct {
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	SHA256   string `json:"sha256"`
	Filename string `json:"filename"`
}

// Face is one face, in the order in which the detector gave them.
type Face struct {
	Index      int       `json:"index"`
	Label      job.Label `json:"label"`
	Confidence float64   `json:"confidence"`
	Box        Box       `json:"box"`
	BoxPX      job.Box   `json:"box_px"`
}

// Box is a rectangle in parts of the photo's width and height, 0 to 1.
type Box struct {
	Left   float64 `json:"left"`
	Top    float64 `json:"top"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// Timing says where the time went, in milliseconds.
type Timing struct {
	Queued    int64 `json:"queued"`
	Fetch     int64 `json:"fetch"`
	Inference int64 `json:"inference"`
	Total     int64 `json:"total"`
}

// NewDetection says of a photo what its owner may know.
func NewDetection(p job.Photo) Detection {
	d := Detection{
		ID:       p.ID,
		Status:   p.Row.State,
		Error:    ErrorOf(p),
		Image:    Image{Width: p.Width, Height: p.Height, SHA256: p.SHA256, Filename: p.Filename},
		Attempts: p.Row.Attempts,
		Metadata: p.Metadata,

		CreatedAt: Moment(p.CreatedAt), FinishedAt: MomentOrNull(p.DoneAt),
	}
	if p.BatchID != (uuid.UUID{}) {
		d.BatchID, d.CustomID = &p.BatchID, &p.CustomID
	}
	if p.WorkerID != "" {
		d.WorkerID = &p.WorkerID
	}
	if r := p.Result; r != nil && p.Row.State == job.StateSucceeded {
		d.addResult(r)
	}
	return d
}

func (d *Detection) addResult(r *job.Result) {
	counts := job.Count(r.Faces)
	category := counts.Category()
	d.Category = &category
	d.NumFaces, d.NumMasked, d.NumUnmasked = &counts.Faces, &counts.Masked, &counts.Unmasked
	d.Image.Width, d.Image.Height = r.Width, r.Height
	if r.SHA256 != "" {
		d.Image.SHA256 = r.SHA256
	}
	d.Model = &r.Model
	d.TimingMS = &Timing{
		Queued: Milliseconds(r.Timing.Queued), Fetch: Milliseconds(r.Timing.Fetch), Inference: Milliseconds(r.Timing.Inference), Total: Milliseconds(r.Timing.Total),
	}
	d.Faces = make([]Face, len(r.Faces))
	for i, f := range r.Faces {
		d.Faces[i] = Face{
			Index: i, Label: f.Label, Confidence: rounded(f.Confidence), Box: ratiosOf(f.Box, r.Width, r.Height), BoxPX: f.Box,
		}
	}
}

// ErrorOf is why a photo ended without a result; a failed attempt that is followed
// by another is no error yet.
func ErrorOf(p job.Photo) *Error {
	failure := p.Failure
	switch p.Row.State {
	case job.StateFailed:
		if failure == nil {
			failure = job.Fail(job.CodeInternal, errors.New("failed without a reason"))
		}
	case job.StateCancelled:
		failure = job.Fail(job.CodeCancelled, nil)
	case job.StateExpired:
		failure = job.Fail(job.CodeExpired, nil)
	default:
		return nil
	}
	return &Error{Code: failure.Code, Message: failure.Message(), Retryable: failure.Retryable()}
}

func ratiosOf(b job.Box, width, height int) Box {
	part := func(pixels, of int) float64 {
		if of <= 0 {
			return 0
		}
		return rounded(float64(pixels) / float64(of))
	}
	return Box{
		Left: part(b.XMin, width), Top: part(b.YMin, height),
		Width: part(b.XMax-b.XMin, width), Height: part(b.YMax-b.YMin, height),
	}
}

// rounded keeps six digits, far below a pixel of the largest photo.
func rounded(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// Milliseconds is a duration as the API writes it, rounded.
func Milliseconds(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }
