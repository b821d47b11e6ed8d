package webui

import (
	"net/url"
	"strconv"
	"time"
)

// InstanceRow is an instance in the list of the fleet.
type InstanceRow struct {
	ID, Type, Zone string
	Role           string // ready, starting, draining, failed, stopped; outside: no instance of the fleet
	State          string // of EC2
	Health         string
	Target         TargetRow
	Spot           bool
	LaunchedAt     time.Time // zero: not known
	Leaving        string    // why it goes, in a sentence
	Leaves         bool      // for good, unless it is recalled
	Recallable     bool      // it leaves, and stays if the fleet grows before its end
	Slots, Busy    int
	Model          string
	CPU            []int // per cent, in each of the last minutes
	Jobs, Requests []int // in each of the last minutes
	CPUNow         string
	JobsNow        string
	RequestsNow    string
	PhotoTime      time.Duration // that a photo takes, as the mean of the last minutes; 0: none was in hand
	Unfinished     bool          // it is what photos have taken so far, and none was finished
}

// Slow says that a photo takes far longer than it usually does in the fleet.
func (r InstanceRow) Slow(usual time.Duration) bool {
	const far = 1.5
	return usual > 0 && float64(r.PhotoTime) > far*float64(usual)
}

// TargetRow is what the load balancer says of an instance.
type TargetRow struct{ State, Reason string }

// Class is that of its badge.
func (t TargetRow) Class() string {
	switch t.State {
	case "healthy":
		return "idle"
	case "initial":
		return "busy"
	case "unhealthy":
		return "failed"
	case "draining":
		return "draining"
	default:
		return "cancelled"
	}
}

// Word is the state as people read it.
func (t TargetRow) Word() string {
	switch t.State {
	case "":
		return "Not registered"
	case "unknown":
		return "Not known"
	default:
		return capital(t.State)
	}
}

// RoleClass is that of the badge of an instance's role.
func (r InstanceRow) RoleClass() string {
	switch r.Role {
	case "ready":
		return "idle"
	case "starting":
		return "busy"
	case "draining":
		return "draining"
	case "failed":
		return "failed"
	default:
		return "cancelled"
	}
}

// RoleWord is the role as people read it.
func (r InstanceRow) RoleWord() string {
	if r.Role == "outside" {
		return "Outside"
	}
	return capital(r.Role)
}

func capital(word string) string {
	if word == "" || word[0] < 'a' || word[0] > 'z' {
		return word
	}
	return string(word[0]-'a'+'A') + word[1:]
}

// FleetQuery is what of the fleet somebody wants to see, as it stands in the address.
type FleetQuery struct {
	Role  string // empty: all
	After string // the last of the page before
	Sort  string // empty: by the ids; with a minus before it the smallest come first
	Skip  int    // of a list that is sorted
}

func (q FleetQuery) values() url.Values {
	values := url.Values{}
	if q.Role != "" {
		values.Set("role", q.Role)
	}
	if q.After != "" {
		values.Set("after", q.After)
	}
	if q.Sort != "" {
		values.Set("sort", q.Sort)
	}
	if q.Skip > 0 {
		values.Set("skip", strconv.Itoa(q.Skip))
	}
	return values
}

// URL is the page's address with the query, at the list: who chooses what of it to see
// goes on looking at it.
func (q FleetQuery) URL() string { return withQuery("/fleet", q.values()) + "#instances" }

// Events is the address of its stream.
func (q FleetQuery) Events() string { return withQuery("/events/fleet", q.values()) }

// SortedBy is the address of the same list in another order: the largest first, and the
// other way round for who asks again.
func (q FleetQuery) SortedBy(what string) string {
	if q.Sort == what && what != "" {
		what = "-" + what
	}
	return FleetQuery{Role: q.Role, Sort: what}.URL()
}

// Order is that of a column, in the words of aria-sort.
func (q FleetQuery) Order(what string) string {
	switch q.Sort {
	case what:
		return map[bool]string{true: "ascending", false: "descending"}[what == ""]
	case "-" + what:
		return "ascending"
	default:
		return ""
	}
}

// fleetSorts are the columns by which the list can be sorted.
func fleetSorts() [][2]string {
	return [][2]string{{"", "Instance"}, {"time", "Time / photo"}, {"cpu", "CPU"}, {"photos", "Photos"}, {"requests", "Requests"}, {"age", "Age"}}
}

// FleetTab is a choice of the list.
type FleetTab struct {
	Role, Word string
	Count      int
	URL        string
}

// OverrideRow is what a person put in the policy's place.
type OverrideRow struct {
	Kind     string // pin, freeze, bounds
	Size     int
	Min, Max int
	Who, Why string
	Until    time.Time // zero: until released
}

// Words says what it is.
func (o OverrideRow) Words() string {
	switch o.Kind {
	case "pin":
		return "Pinned to " + Count(o.Size, "instance", "instances")
	case "freeze":
		return "Scaling is paused"
	default:
		return "Between " + Number(o.Min) + " and " + Count(o.Max, "instance", "instances")
	}
}

// ScalerState is who scales, and how that goes.
type ScalerState struct {
	Read     Reading
	Silent   bool // nobody answers
	Who      string
	Size     int // ready or starting
	Target   int
	Reason   string
	Trouble  string // why less was done than decided
	Override *OverrideRow

	Young      int       // instances that are too many, but not yet old enough to retire
	YoungUntil time.Time // when the last of them may go
}

// WantedNote stands below the number that is wanted.
func (s ScalerState) WantedNote() string {
	if s.Young == 0 {
		return "why: see Scaling"
	}
	return Count(s.Young, "more stays", "more stay") + " for now: see Scaling"
}

// FleetPage fills page "fleet".
type FleetPage struct {
	Frame
	At       time.Time
	Troubles []Trouble
	Entry    string // the site's address; empty: not known
	Console  string // EC2's address; empty: not known
	Query    FleetQuery
	Scaler   ScalerState
	Ready    int
	Starting int
	Draining int
	Slots    int
	Busy     int
	Fleet    Reading

	Instances, Photos Chart
	ChartRead         Reading

	Tabs      []FleetTab
	Rows      []InstanceRow
	PhotoTime time.Duration // that a photo usually takes
	Slowest   Slowest
	Next      string // the address of the next page; empty: that was all
}

// Slowest is where a photo takes longest.
type Slowest struct {
	ID   string        // of an instance
	Time time.Duration // that one takes there
	Of   int           // so many on which photos were in hand
}

// Words says so; empty where that is nowhere.
func (s Slowest) Words() string {
	switch s.Of {
	case 0:
		return ""
	case 1:
		return Duration(s.Time) + " a photo"
	}
	return "slowest: " + s.ID + ", " + Duration(s.Time) + " a photo"
}

// SlowestWords says where a photo takes longest.
func (p FleetPage) SlowestWords() string { return p.Slowest.Words() }

// SizePage fills page "size": how many, for how long, and why.
type SizePage struct {
	Frame
	Size     int
	Min, Max int // of the policy; 0: not known
	Does     Command
}

// TermOption is for how long a person's word stands.
type TermOption struct{ Value, Words string }

// Terms are those that a form offers; an empty value is until released.
func Terms() []TermOption {
	return []TermOption{
		{"20m", "20 minutes"}, {"1h", "1 hour"}, {"4h", "4 hours"}, {"12h", "12 hours"}, {"24h", "1 day"}, {"168h", "7 days"}, {"released", "until somebody releases it"},
	}
}

// HandRow is a photo that a worker has in hand.
type HandRow struct {
	ID      string
	Lane    string
	Attempt int
	For     time.Duration
	Left    time.Duration // of its lease; 0: not claimed yet
}

// Short is the photo's id, as far as it tells it from others.
func (h HandRow) Short() string {
	const head, tail = 8, 6
	if len(h.ID) <= head+tail {
		return h.ID
	}
	return h.ID[:head] + "…" + h.ID[len(h.ID)-tail:]
}

// FailedRow is a photo that failed in a worker's hands.
type FailedRow struct {
	ID, Name, Code string
	At             time.Time
}

// WorkerPart is a worker of an instance.
type WorkerPart struct {
	WorkerRow
	Says      bool // it tells what it has in hand
	Drain     string
	Resumable bool // it was told to stand aside, not to end
	Hand      []HandRow
}

// InstancePage fills page "instance".
type InstancePage struct {
	Frame
	At       time.Time
	Troubles []Trouble
	Row      InstanceRow
	Known    bool      // to the scaler
	Gone     bool      // it was the fleet's, and has left
	BegunAt  time.Time // when it began to leave; zero: not known
	EndedAt  time.Time // zero: not known
	Fleet    Reading
	Facts    []Fact
	Tags     []Fact
	UserData string
	Console  string // EC2's address; empty: not known

	CPU, Rates Chart
	ChartRead  Reading
	PhotoTime  time.Duration // that a photo usually takes in the fleet
	Workers    []WorkerPart
	Tellers    []string  // the workers that are or were alive on it
	Commands   []Command // that do the same as its buttons
	Failed     []FailedRow
	FailedIn   string // where they were looked for
}

// StoppedPage fills page "stopped".
type StoppedPage struct {
	Frame
	Retire int
}

// InstanceHistoryPage fills page "instance-history": hours, as CloudWatch has them.
type InstanceHistoryPage struct {
	Frame
	ID         string
	Span       string // 3h or 24h
	Wrong      string // why there is nothing
	CPU, Rates Chart
	Does       Command
}

// LogLine is a line of a log.
type LogLine struct {
	At     time.Time // zero: it does not say
	Level  string
	Words  string
	Fields []Fact
}

// Bad says that somebody should look at it.
func (l LogLine) Bad() bool { return l.Level == "WARN" || l.Level == "ERROR" }

// Class is that of its badge.
func (l LogLine) Class() string {
	switch l.Level {
	case "ERROR":
		return "failed"
	case "WARN":
		return "draining"
	default:
		return "cancelled"
	}
}

// LogPage fills page "log": the last lines of a worker's log, the newest first.
type LogPage struct {
	Frame
	Worker   string
	At       time.Time
	Problems bool // warnings and errors alone
	Of       int  // lines that the worker told
	Lines    []LogLine
	Wrong    string // why there is nothing
	Does     Command
}
