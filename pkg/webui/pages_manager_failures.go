package webui

import (
	"net/url"
	"time"

	"maskfleet/pkg/job"
)

// FailureGroup is dead letters that failed in the same way.
type FailureGroup struct {
	Reason, Says   string // the code, and what it means
	Vain           string // a sentence: another try ends the same way
	Model          string // "": none said so
	Photos         int
	Oldest, Newest time.Time
	Samples        []Sample
}

// Key is the group's place on a page that changes.
func (g FailureGroup) Key() string { return g.Reason + " " + g.Model }

// to is an address about the group.
func (g FailureGroup) to(path string) string {
	return path + "?" + url.Values{"reason": {g.Reason}, "model": {g.Model}}.Encode()
}

// Redrive is the page from which the group is tried again.
func (g FailureGroup) Redrive() string { return g.to("/failures/redrive") }

// Export is the file of the group.
func (g FailureGroup) Export() string { return g.to("/failures/export") }

// Jobs is the list of the group's photos.
func (g FailureGroup) Jobs() string {
	return JobQuery{State: "failed", Code: g.Reason, Model: g.Model}.URL()
}

// Sample is a photo of a group.
type Sample struct {
	ID, Name string
	Shown    bool // its bytes are there, and have harmed nobody
}

// Stray is a kind of letters in DEAD that belong to no photo.
type Stray struct {
	Reason  string
	Letters int
}

// FailuresPage fills page "failures".
type FailuresPage struct {
	Frame
	At       time.Time
	Troubles []Trouble
	Total    int
	Groups   []FailureGroup
	Read     Reading // of both
	Strays   []Stray
	Trial    *Trial // nil: there was none of late
	Unknown  bool   // the broker is away, and so strays and trials are not known
}

// RedrivePage fills page "redrive": how many of a group, how fast, at which worker.
type RedrivePage struct {
	Frame
	Group   FailureGroup
	Workers []CanaryWorker // that may be chosen, the idlest first
	Trial   *Trial         // of this group
	Limit   int            // that is proposed
	Canary  bool           // whether the canary lane is
	Does    Command
}

// CanaryWorker is a worker that a few photos may be tried at.
type CanaryWorker struct {
	ID, Model   string
	Busy, Slots int
	Chosen      bool // it is proposed
}

// Trial is a few photos of a group that were tried again at one worker.
type Trial struct {
	Worker, By, Reason, Model     string
	BegunAt, Until                time.Time
	Alive                         bool // the worker takes photos
	Lasts                         bool // no other takes from the canary lane
	Succeeded, Failed, Open, Gone int
	Tried                         []Tried
	Rest                          int    // photos of the group that are still to be dealt with
	Redrive                       string // where they are
	Ends                          Command
}

// Tried is a photo of a trial.
type Tried struct {
	ID, Name string
	State    job.State
	Code     string // of the failure
}

// Says is how the trial came out, or goes on.
func (t Trial) Says() string {
	all := t.Succeeded + t.Failed + t.Open + t.Gone
	switch {
	case t.Open > 0 && t.Lasts && !t.Alive:
		return t.Worker + " takes no photos any more. " + Count(t.Open, "photo waits", "photos wait") + " until the trial ends, and then for any worker."
	case t.Open > 0:
		return Count(t.Open, "photo", "photos") + " of " + Number(all) + " still to come; " + Number(t.Succeeded) + " succeeded, " + Number(t.Failed) + " failed again."
	case t.Failed == 0 && t.Succeeded > 0:
		return t.count(t.Succeeded, all) + " succeeded. The cause seems to be gone: try the rest."
	case t.Succeeded == 0 && t.Failed > 0:
		return t.count(t.Failed, all) + " failed again. The cause is still there: look at one before you try more."
	}
	return Number(t.Succeeded) + " of " + Number(all) + " succeeded, " + Number(t.Failed) + " failed again."
}

func (t Trial) count(n, all int) string {
	switch {
	case n == all && n == 1:
		return "The one photo"
	case n == all:
		return "All " + Number(n) + " photos"
	}
	return Count(n, "photo", "photos") + " of " + Number(all)
}

// AuditRow is a record of the audit log.
type AuditRow struct {
	ID      string
	At      time.Time
	Actor   string
	Action  string
	Subject string
	Says    string // how much it was, in a few words
	Via     string
	Outcome string
	Host    string
	Detail  []Fact // the rest
}

// AuditPage fills page "audit".
type AuditPage struct {
	Frame
	Actor, Action, Subject, Via, From, To string
	Chosen                                bool
	Rows                                  []AuditRow
	First                                 bool
	Next, Newest                          string // URLs; "" on the last page
	Events                                string // URL of what comes; "" on a page of old ones
	At                                    time.Time
	Read                                  Reading
	New                                   int // records since the page was made
	Wrong                                 string
}
