package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

// look is one list and what comes of it.
type look struct {
	at       time.Duration // since the begin
	listed   string        // "id state …"
	launched string        // ids of a launch at the begin whose instances nobody has seen
	alive    string        // ids
	unheard  bool          // nobody knows who is alive
	do       string        // "id state": done to it after the look
	want     string        // like listed, an asterisk behind those that EC2 does not show
	vanished string
	empty    bool // the list is not believed
	settled  bool
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		looks []look
	}{
		{"a new instance counts before it is shown", []look{
			{launched: "i-1", want: "i-1 pending*"},
			{at: time.Minute, launched: "i-1", listed: "i-1 running", want: "i-1 running", settled: true},
		}},
		{"one that is never shown is given up", []look{
			{at: 2*time.Minute - 1, launched: "i-1", want: "i-1 pending*"},
			{at: 2 * time.Minute, launched: "i-1", vanished: "i-1", settled: true},
		}},
		{"unless it gives signs of life: then the list is old", []look{
			{at: 10 * time.Minute, launched: "i-1 i-2", alive: "i-1", listed: "i-0 running", want: "i-0 running, i-1 pending*", vanished: "i-2"},
		}},
		{"nobody is given up by who does not know who is alive", []look{
			{listed: "i-0 running", want: "i-0 running"},
			{at: time.Hour, launched: "i-1", unheard: true, listed: "i-2 running", want: "i-0 running*, i-1 pending*, i-2 running"},
			{at: time.Hour, launched: "i-1", alive: "i-0", listed: "i-2 running", want: "i-0 running*, i-2 running", vanished: "i-1", settled: true},
		}},
		{"an ended instance does not count though it is still shown", []look{
			{listed: "i-1 running, i-2 running", want: "i-1 running, i-2 running", do: "i-1 shutting-down"},
			{at: time.Minute, listed: "i-1 running, i-2 running", want: "i-2 running"},
			{at: 90 * time.Second, listed: "i-1 terminated, i-2 running", want: "i-2 running"},
		}},
		{"a list that contradicts for too long is right", []look{
			{listed: "i-1 running", want: "i-1 running", do: "i-1 shutting-down"},
			{at: 2 * time.Minute, listed: "i-1 running", want: "i-1 running"},
		}},
		{"a started instance counts though it is shown as stopped", []look{
			{listed: "i-1 stopped", want: "i-1 stopped", do: "i-1 pending"},
			{at: time.Second, listed: "i-1 stopped", want: "i-1 pending"},
			{at: 2 * time.Second, listed: "i-1 running", want: "i-1 running"},
			{at: 3 * time.Second, listed: "i-1 stopped", want: "i-1 stopped"}, // somebody stopped it
		}},
		{"an instance that drops out of the list counts for a while", []look{
			{listed: "i-1 running, i-2 running", want: "i-1 running, i-2 running"},
			{at: time.Minute, listed: "i-2 running", want: "i-1 running*, i-2 running"},
			{at: 2 * time.Minute, listed: "i-2 running", want: "i-2 running", vanished: "i-1"},
		}},
		{"an empty list is not believed", []look{
			{listed: "i-1 running", want: "i-1 running"},
			{at: time.Second, empty: true},
			{at: 5 * time.Minute, empty: true},
			{at: 6 * time.Minute, listed: "i-1 running", want: "i-1 running"},
			{at: 7 * time.Minute, empty: true},
			{at: 12 * time.Minute, vanished: "i-1"}, // for five minutes: it is true
		}},
		{"not even by one who has just come", []look{
			{alive: "i-1", empty: true},
		}},
		{"an empty fleet is one", []look{{}, {at: time.Hour}}},
		{"a fleet whose last instance has ended is empty", []look{
			{listed: "i-1 running", want: "i-1 running", do: "i-1 shutting-down"},
			{at: time.Second, listed: "i-1 shutting-down"},
			{at: time.Hour, listed: ""},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			m := newMemory(Config{Settling: 2 * time.Minute, EmptyBelieved: 5 * time.Minute})
			for n, l := range test.looks {
				l.check(t, &m, fmt.Sprintf("look %d", n+1), begin)
			}
		})
	}
}

func (l look) check(t *testing.T, m *memory, name string, begin time.Time) {
	t.Helper()
	now := begin.Add(l.at)
	var launches []jobstore.LaunchIntent
	if ids := strings.Fields(l.launched); len(ids) > 0 {
		launches = append(launches, jobstore.LaunchIntent{ID: uuid.New(), State: jobstore.LaunchLaunched, Instances: ids, Age: l.at})
	}
	signs := evidence{}
	if !l.unheard {
		signs.alive = Heartbeats{}
	}
	for _, id := range strings.Fields(l.alive) {
		signs.alive[id] = now
	}
	v, err := m.reconcile(now, readList(l.listed), launches, signs)
	if errors.Is(err, ErrEmptyList) != l.empty || err != nil && !l.empty {
		t.Errorf("%s: %v", name, err)
	}
	if got := writeList(v.instances); got != l.want {
		t.Errorf("%s: %q, want %q", name, got, l.want)
	}
	if diff := cmp.Diff(strings.Fields(l.vanished), append([]string{}, v.vanished...)); diff != "" {
		t.Errorf("%s: vanished (-want +got):\n%s", name, diff)
	}
	if (len(v.settled) > 0) != l.settled {
		t.Errorf("%s: settled %v, want %t", name, v.settled, l.settled)
	}
	if id, to, done := strings.Cut(l.do, " "); done {
		m.changed(now, State(to), id)
	}
}

func readList(text string) (all []Instance) {
	for one := range strings.SplitSeq(text, ", ") {
		if id, state, ok := strings.Cut(one, " "); ok {
			all = append(all, Instance{ID: id, State: State(state), Shown: true})
		}
	}
	return all
}

func writeList(instances []Instance) string {
	var all []string
	for _, i := range instances {
		mark := ""
		if !i.Shown {
			mark = "*"
		}
		all = append(all, i.ID+" "+string(i.State)+mark)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
