package client

import "time"

// Status is where a detection stands. Accept values you do not know.
type Status string

// The states of a detection; the last four are its ends.
const (
	Queued     Status = "queued"
	Processing Status = "processing"
	Succeeded  Status = "succeeded"
	Failed     Status = "failed"
	Cancelled  Status = "cancelled"
	Expired    Status = "expired"
)

// Ended says that the detection will not change any more, unless somebody retries it.
func (s Status) Ended() bool {
	return s == Succeeded || s == Failed || s == Cancelled || s == Expired
}

// Category says how many of the faces of a photo wear a mask.
type Category string

// The categories of a photo that succeeded.
const (
	NoFaces    Category = "no_faces"
	AllMasked  Category = "all_masked"
	NoneMasked Category = "none_masked"
	SomeMasked Category = "some_masked"
)

// Label is what was seen of a face: masked, unmasked or incorrect. Accept labels you
// do not know.
type Label string

// The labels of a face.
const (
	Masked    Label = "masked"
	Unmasked  Label = "unmasked"
	Incorrect Label = "incorrect" // counts as unmasked
)

// Detection is a photo and what was found in it.
type Detection struct {
	ID          string     `json:"id"`
	CustomID    string     `json:"custom_id"` // empty outside batches
	BatchID     string     `json:"batch_id"`  // empty outside batches
	Status      Status     `json:"status"`
	Error       *ItemError `json:"error"` // of one that ended without a result
	Category    Category   `json:"category"`
	NumFaces    int        `json:"num_faces"`
	NumMasked   int        `json:"num_masked"`
	NumUnmasked int        `json:"num_unmasked"`
	Image       ImageInfo  `json:"image"`
	Faces       []Face     `json:"faces"`
	Model       *Model     `json:"model"`
	Timing      *Timing    `json:"timing_ms"`
	Attempts    int        `json:"attempts"`
	// EstimatedWaitMS is about how long until the photo is done; 0: nobody can say, or
	// it is.
	EstimatedWaitMS int64             `json:"estimated_wait_ms"`
	WorkerID        string            `json:"worker_id"`
	Metadata        map[string]string `json:"metadata,omitempty"`
	CreatedAt       time.Time         `json:"created_at,omitzero"`
	FinishedAt      *time.Time        `json:"finished_at,omitempty"` // nil: not yet
}

// ItemError is why a photo ended without a result; docs/errors.md has its codes.
type ItemError struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"` // another attempt could succeed
}

// ImageInfo is what is known of the photo itself. Pixels are those of the upright
// photo; zero until a link has been fetched.
type ImageInfo struct {
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	SHA256   string `json:"sha256"`
	Filename string `json:"filename"`
}

// Face is one face of a photo.
type Face struct {
	Index      int      `json:"index"`
	Label      Label    `json:"label"`
	Confidence float64  `json:"confidence"` // 0 to 1
	Box        Box      `json:"box"`
	BoxPX      PixelBox `json:"box_px"`
}

// Box is a rectangle in parts of the upright photo's width and height, 0 to 1.
type Box struct {
	Left   float64 `json:"left"`
	Top    float64 `json:"top"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// PixelBox is the same rectangle in pixels: upper left inclusive, lower right
// exclusive.
type PixelBox struct {
	XMin int `json:"x_min"`
	YMin int `json:"y_min"`
	XMax int `json:"x_max"`
	YMax int `json:"y_max"`
}

// Model is the detector that looked.
type Model struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Timing is how long the parts took, in milliseconds; Total is from the acceptance
// to the result.
type Timing struct {
	Queued    int64 `json:"queued"`
	Fetch     int64 `json:"fetch"`
	Inference int64 `json:"inference"`
	Total     int64 `json:"total"`
}
