package webui

import (
	"net/url"
	"time"

	"maskfleet/pkg/job"
)

// JobQuery is what an operator chose to see, as it stands in the address.
type JobQuery struct {
	State, Lane, Owner, Category, Code, Model, Worker, Batch, Name, SHA256, From, To string
}

func (q *JobQuery) fields() []struct {
	name  string
	value *string
} {
	return []struct {
		name  string
		value *string
	}{
		{"state", &q.State}, {"lane", &q.Lane}, {"owner", &q.Owner}, {"category", &q.Category}, {"code", &q.Code}, {"model", &q.Model},
		{"worker", &q.Worker}, {"batch", &q.Batch}, {"name", &q.Name}, {"sha256", &q.SHA256}, {"from", &q.From}, {"to", &q.To},
	}
}

// ReadJobQuery takes it from an address.
func ReadJobQuery(get func(string) string) (q JobQuery) {
	for _, f := range q.fields() {
		*f.value = get(f.name)
	}
	return q
}

// Encode writes it for an address; "" if nothing was chosen.
func (q JobQuery) Encode() string {
	values := url.Values{}
	for _, f := range q.fields() {
		if *f.value != "" {
			values.Set(f.name, *f.value)
		}
	}
	return values.Encode()
}

// URL is the first page of the list.
func (q JobQuery) URL() string {
	if query := q.Encode(); query != "" {
		return "/jobs?" + query
	}
	return "/jobs"
}

// Older is the page after the one that ends with a photo.
func (q JobQuery) Older(last string) string {
	query := q.Encode()
	if query != "" {
		query += "&"
	}
	return "/jobs?" + query + "before=" + url.QueryEscape(last)
}

// In is the same of another state.
func (q JobQuery) In(state job.State) JobQuery {
	q.State = string(state)
	return q
}

// Narrowed says that more than a state was chosen.
func (q JobQuery) Narrowed() bool { return q.In("") != JobQuery{} }

// Unfolded says that something was chosen that stands in the folded part of the form.
func (q JobQuery) Unfolded() bool {
	return q.Code != "" || q.Model != "" || q.Worker != "" || q.Batch != "" || q.SHA256 != "" || q.From != "" || q.To != "" || q.Category != ""
}

// MayRetry says that some of these photos may be such as can be tried again.
func (q JobQuery) MayRetry() bool {
	return q.State == "" || q.State == string(job.StateFailed) || q.State == string(job.StateExpired)
}

// MayCancel says that some of these photos may wait, and so can be cancelled.
func (q JobQuery) MayCancel() bool { return q.State == "" || q.State == string(job.StateQueued) }

// JobRow is a photo in the operators' list.
type JobRow struct {
	ID, Name, Owner string
	State           job.State
	Category        job.Category
	Code            job.Code
	Lane            job.Lane
	Attempts        int
	Worker          string
	AcceptedAt      time.Time
	EndedAt         time.Time
}

// JobsPage fills page "jobs".
type JobsPage struct {
	Frame
	Query      JobQuery
	States     []job.State
	Lanes      []job.Lane
	Codes      []job.Code
	Categories []job.Category
	Rows       []JobRow
	First      bool
	Next       string // URL of the next page; "" on the last
	Wrong      string // a sentence: what was chosen cannot be looked for
}

// JobPage fills page "job".
type JobPage struct {
	Frame
	JobRow
	Link, Source, ContentType string
	Bytes                     int64
	Width, Height             int
	SHA256, Trace             string
	Batch                     string
	Metadata                  []Fact
	Faces                     job.Counts
	Picture, Original         bool   // there is a marked copy; there are the bytes as they came
	Upload                    string // the upload of which it came, by a signed link; its bytes are not ours yet if there is no Original

	Row      []Fact // the row protocol's state
	Lease    time.Time
	Failure  string // a sentence
	Cause    string // for operators only
	Vain     string // a sentence: another try ends the same way
	Model    string
	Timing   []Fact
	Message  string // what lies on the broker, in words
	Timeline []Moment
	Began    string // when the timeline did, with day and zone; "": not known
	Unknown  bool   // the broker is away, and so the last three are not known

	MayRetry, MayCancel bool
	Retry, Cancel, Get  Command
}

// Moment is an event of a photo's timeline.
type Moment struct {
	At    time.Time
	After time.Duration // since the one before
	Word  string
	Class string // of its dot
	Facts []Fact
	Text  string // a sentence of a failure
}
