package webui

import "strings"

// NavEntry is an entry of the manager's bar.
type NavEntry struct {
	Nav, Path, Word string
}

// Entries are those of the manager's bar, in the order in which an operator asks:
// what is there, what waits, what failed, why, and who did it. Every role sees all of
// them; what a role may not do is not offered on the page, and refused by the server.
func (f Frame) Entries() []NavEntry {
	return []NavEntry{
		{NavOverview, "/", "Overview"},
		{NavFleet, "/fleet", "Fleet"},
		{NavScaling, "/scaling", "Scaling"},
		{NavQueue, "/queue", "Queue"},
		{NavJobs, "/jobs", "Jobs"},
		{NavFailures, "/failures", "Failures"},
		{NavErase, "/erase", "Erase"},
		{NavAudit, "/audit", "Audit"},
		{NavHealth, "/health", "Health"},
	}
}

// Command is what an operator types to do the same as a button.
type Command struct {
	ID   string // of the element that is copied
	Line string
	Does string // what it does, where a page has more than one; "" else
}

// NewCommand makes the line that asks a subject with a request, a JSON object.
func NewCommand(id, subject string, request []byte) Command {
	quoted := "'" + strings.ReplaceAll(string(request), "'", `'\''`) + "'"
	return Command{ID: id, Line: "nats req " + subject + " " + quoted}
}

// That is the same line on a page that has others, with what it does.
func (c Command) That(does string) Command {
	c.Does = does
	return c
}

// Field is a value that a form carries along.
type Field struct{ Name, Value string }

// ConfirmPage fills page "confirm": what a button is about to do, before it does it.
type ConfirmPage struct {
	Frame
	Heading     string   // "Cancel 12 photos?"
	Consequence string   // a sentence or two
	Warning     string   // why it may be in vain
	Facts       []Fact   // what the dry run said
	Refused     []string // what of it would not be done, and why
	Remains     []string // what stays all the same
	Nothing     bool     // the dry run found nothing to do
	Danger      bool     // it cannot be undone
	Typed       string   // what must be typed first; "" for nothing
	Why         bool     // it asks for the reason
	Term        string   // it asks for how long, and this is chosen; "": it does not

	Action string // where the form goes
	Fields []Field
	Button string
	Back   string
	Does   Command
}

// Fact is a name and what there is of it.
type Fact struct{ Name, Value string }
