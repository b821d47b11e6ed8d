package ingest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/job"
)

func TestRotate(t *testing.T) {
	t.Parallel()
	owner := func(name byte, live, due int) ownersQueue {
		q := ownersQueue{owner: job.ID{name}, live: live}
		for range due {
			q.due = append(q.due, dueItem{batch: job.ID{name}})
		}
		return q
	}
	for name, c := range map[string]struct {
		queues []ownersQueue
		room   int
		want   string // of which owner, in order
	}{
		"nothing due":          {[]ownersQueue{owner('a', 5, 0)}, 10, ""},
		"one alone":            {[]ownersQueue{owner('a', 0, 9)}, 4, "aaaa"},
		"two take turns":       {[]ownersQueue{owner('a', 0, 9), owner('b', 0, 9)}, 5, "ababa"},
		"one needs less":       {[]ownersQueue{owner('a', 0, 9), owner('b', 0, 1)}, 5, "abaaa"},
		"who comes late":       {[]ownersQueue{owner('a', 3, 9), owner('b', 0, 9)}, 5, "bbbab"},
		"who has more already": {[]ownersQueue{owner('a', 50, 9), owner('b', 0, 3)}, 5, "bbbaa"},
		"no room":              {[]ownersQueue{owner('a', 0, 9)}, 0, ""},
	} {
		got := ""
		for _, item := range rotate(c.queues, c.room) {
			got += string(item.batch[0])
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
