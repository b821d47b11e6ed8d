package ingest

import (
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/apiv1"
	"maskfleet/pkg/job"
)

// batchAnswer is a batch as the API shows it. What is not known yet is null.
type batchAnswer struct {
	ID              uuid.UUID       `json:"id"`
	Status          job.BatchState  `json:"status"`
	Run             int             `json:"run"`
	Source          job.BatchSource `json:"source"`
	Counts          batchCounts     `json:"counts"`
	Summary         batchSummary    `json:"summary"`
	CreatedAt       apiv1.Moment    `json:"created_at"`
	StartedAt       *apiv1.Moment   `json:"started_at"`
	FinishedAt      *apiv1.Moment   `json:"finished_at"`
	ExpiresAt       apiv1.Moment    `json:"expires_at"`
	EstimatedDoneAt *apiv1.Moment   `json:"estimated_done_at"`
	Links           batchLinks      `json:"links"`
	Error           *batchError     `json:"error"`
}

type batchCounts struct {
	Total      int `json:"total"`
	Queued     int `json:"queued"`
	Processing int `json:"processing"`
	Succeeded  int `json:"succeeded"`
	Failed     int `json:"failed"`
	Cancelled  int `json:"cancelled"`
	Expired    int `json:"expired"`
}

type batchSummary struct {
	NoFaces     int `json:"no_faces"`
	AllMasked   int `json:"all_masked"`
	NoneMasked  int `json:"none_masked"`
	SomeMasked  int `json:"some_masked"`
	NumFaces    int `json:"num_faces"`
	NumMasked   int `json:"num_masked"`
	NumUnmasked int `json:"num_unmasked"`
}

type batchLinks struct {
	Self    string `json:"self"`
	Items   string `json:"items"`
	Results string `json:"results"`
	Events  string `json:"events"`
	Cancel  string `json:"cancel"`
	Retry   string `json:"retry"`
}

type batchError struct {
	Code    job.BatchCode `json:"code"`
	Message string        `json:"message"`
	Errors  []lineError   `json:"errors"`
}

type lineError struct {
	Line     int           `json:"line"`
	CustomID string        `json:"custom_id"`
	Code     job.BatchCode `json:"code"`
	Message  string        `json:"message"`
}

// batchView is a batch with what its row alone does not say.
type batchView struct {
	job.Batch
	inHand int       // of the open items, how many a worker has
	done   time.Time // when it may be done; zero where nobody can know
}

func newBatchAnswer(b batchView) batchAnswer {
	path := batchPath(b.ID)
	return batchAnswer{
		ID: b.ID, Status: b.State, Run: b.Run, Source: b.Source,
		Counts: countsOf(b), Summary: summaryOf(b.Counts),
		CreatedAt: apiv1.Moment(b.CreatedAt), StartedAt: apiv1.MomentOrNull(b.StartedAt), FinishedAt: apiv1.MomentOrNull(b.DoneAt), ExpiresAt: apiv1.Moment(b.ExpiresAt),
		EstimatedDoneAt: apiv1.MomentOrNull(b.done),
		Links: batchLinks{
			Self: path, Items: path + "/items", Results: path + "/results",
			Events: path + "/events", Cancel: path + "/cancel", Retry: path + "/retry",
		},
		Error: newBatchError(b.Failure),
	}
}

// countsOf gives nothing of a batch that is being validated: its items may turn out
// to be none.
func countsOf(b batchView) batchCounts {
	if b.State == job.BatchValidating {
		return batchCounts{}
	}
	inHand := min(b.inHand, b.Counts.Remaining) // the two were read one after the other
	return batchCounts{
		Total: b.Counts.Total, Queued: b.Counts.Remaining - inHand, Processing: inHand,
		Succeeded: b.Counts.Succeeded, Failed: b.Counts.Failed, Cancelled: b.Counts.Cancelled, Expired: b.Counts.Expired,
	}
}

func summaryOf(c job.BatchCounts) batchSummary {
	return batchSummary{
		NoFaces: c.NoFaces, AllMasked: c.AllMasked, NoneMasked: c.NoneMasked, SomeMasked: c.SomeMasked,
		NumFaces: c.Faces.Faces, NumMasked: c.Faces.Masked, NumUnmasked: c.Faces.Unmasked,
	}
}

func newBatchError(f *job.BatchFailure) *batchError {
	if f == nil {
		return nil
	}
	e := &batchError{Code: f.Code, Message: f.Message, Errors: make([]lineError, len(f.Lines))}
	for i, line := range f.Lines {
		e.Errors[i] = lineError{Line: line.Line, CustomID: line.CustomID, Code: line.Code, Message: line.Message}
	}
	return e
}
