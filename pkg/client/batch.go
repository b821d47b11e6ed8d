package client

import (
	"fmt"
	"strings"
	"time"
)

// BatchStatus is where a batch stands. Accept values you do not know.
type BatchStatus string

// The states of a batch.
const (
	BatchValidating BatchStatus = "validating"
	BatchQueued     BatchStatus = "queued"
	BatchInProgress BatchStatus = "in_progress"
	BatchFinalizing BatchStatus = "finalizing"
	BatchCompleted  BatchStatus = "completed" // every item has ended, however it ended
	BatchFailed     BatchStatus = "failed"    // it was refused as a whole; see Error
	BatchCancelling BatchStatus = "cancelling"
	BatchCancelled  BatchStatus = "cancelled"
	BatchExpired    BatchStatus = "expired" // its window was over before its items
)

// Ended says that nothing of the batch is waiting or in hand any more.
func (s BatchStatus) Ended() bool {
	return s == BatchCompleted || s == BatchFailed || s == BatchCancelled || s == BatchExpired
}

// Batch is a set of photos that were submitted together.
type Batch struct {
	ID              string      `json:"id"`
	Status          BatchStatus `json:"status"`
	Run             int         `json:"run"`    // 1, and one more for every retry
	Source          string      `json:"source"` // manifest, archive or s3_prefix
	Counts          Counts      `json:"counts"`
	Summary         Summary     `json:"summary"`
	CreatedAt       time.Time   `json:"created_at"`
	StartedAt       *time.Time  `json:"started_at"`
	FinishedAt      *time.Time  `json:"finished_at"`
	ExpiresAt       *time.Time  `json:"expires_at"`
	EstimatedDoneAt *time.Time  `json:"estimated_done_at"` // nil: not known
	Links           BatchLinks  `json:"links"`
	Error           *BatchError `json:"error"` // nil: none
}

// Succeeded says that the batch has ended and every one of its items succeeded.
func (b Batch) Succeeded() bool {
	return b.Status == BatchCompleted && b.Counts.Succeeded == b.Counts.Total
}

// Counts says where the items of a batch stand. Total is zero until the batch has
// been validated.
type Counts struct {
	Total      int `json:"total"`
	Queued     int `json:"queued"`
	Processing int `json:"processing"`
	Succeeded  int `json:"succeeded"`
	Failed     int `json:"failed"`
	Cancelled  int `json:"cancelled"`
	Expired    int `json:"expired"`
}

// Ended counts the items that have ended.
func (c Counts) Ended() int { return c.Succeeded + c.Failed + c.Cancelled + c.Expired }

// Summary says what was found in the photos that succeeded.
type Summary struct {
	NoFaces     int `json:"no_faces"`
	AllMasked   int `json:"all_masked"`
	NoneMasked  int `json:"none_masked"`
	SomeMasked  int `json:"some_masked"`
	NumFaces    int `json:"num_faces"`
	NumMasked   int `json:"num_masked"`
	NumUnmasked int `json:"num_unmasked"`
}

// BatchLinks are paths below the front door.
type BatchLinks struct {
	Self    string `json:"self"`
	Items   string `json:"items"`
	Results string `json:"results"`
	Events  string `json:"events"`
	Cancel  string `json:"cancel"`
	Retry   string `json:"retry"`
}

// BatchError is why a batch was refused as a whole.
type BatchError struct {
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Errors  []LineError `json:"errors"` // the first few
}

// LineError is what is wrong with a line of a manifest or an entry of an archive,
// counted from 1.
type LineError struct {
	Line     int    `json:"line"`
	CustomID string `json:"custom_id"`
	Code     string `json:"code"`
	Message  string `json:"message"`
}

// Error gives the sentence and the lines.
func (e *BatchError) Error() string {
	var text strings.Builder
	text.WriteString(e.Message)
	if e.Code != "" {
		fmt.Fprintf(&text, " (%s)", e.Code)
	}
	for _, fault := range e.Errors {
		fmt.Fprintf(&text, "\nline %d: %s", fault.Line, fault.Message)
	}
	return text.String()
}
