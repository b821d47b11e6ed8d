package webui

import (
	"net/url"
	"time"
)

// FailureGroup is dead letters that failed in the same way.
type FailureGroup struct {
	Reason, Says   string // the code, and what it means
	Model          string // "": none said so
	Photos         int
	Oldest, Newest time.Time
	Samples        []Sample
}

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
	Does    Command
}

// FailuresPage fills page "failures".
type FailuresPage struct {
	Frame
	At      time.Time
	Total   int
	Groups  []FailureGroup
	Strays  []Stray
	Unknown bool // the broker is away, and so strays are not known
}

// RedrivePage fills page "redrive": how many of a group, how fast, in which lane.
type RedrivePage struct {
	Frame
	Group FailureGroup
	Does  Command
}

// AuditRow is a record of the audit log.
type AuditRow struct {
	ID      string
	At      time.Time
	Actor   string
	Action  string
	Subject string
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
	Wrong                                 string
}
