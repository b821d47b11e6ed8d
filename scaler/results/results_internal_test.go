package results

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/client"
	"maskfleet/pkg/client/load"
	"maskfleet/scaler/decide"
)

// played is a scenario of ten seconds of load: one more instance boots at 4 s, the queue
// is gone at 7 s, and the fleet at its least at 13 s.
func played() Scenario {
	sc := Scenario{Policy: decide.DefaultPolicy(), Began: time.Now(), Phases: []load.Phase{{Length: 10 * time.Second, From: 1, To: 2}}}
	for second := range 15 {
		s := Sample{At: time.Duration(second) * time.Second, Ready: 1, Target: 1, Reason: "why, in words", following: sc.Policy}
		s.Offered = offered(sc.Phases, s.At)
		switch {
		case second == 3:
			s.Starting, s.Waiting = 1, 9
		case second >= 4 && second < 12:
			s.Ready, s.Target = 2, 2
		case second == 12:
			s.Draining = 1
		}
		if second >= 4 && second < 7 {
			s.Waiting = 5
		}
		sc.Samples = append(sc.Samples, s)
	}
	sc.photos = []photo{
		{at: 100 * time.Millisecond, wait: time.Second, attempts: 1, status: client.Succeeded},
		{at: 2500 * time.Millisecond, wait: 3 * time.Second, attempts: 1, status: client.Succeeded},
		{at: 2600 * time.Millisecond, wait: 11 * time.Second, attempts: 2, status: client.Succeeded},
		{at: 9 * time.Second, wait: -1, status: client.Queued},
	}
	sc.noteWaits()
	return sc
}

func TestFigures(t *testing.T) {
	t.Parallel()
	sc := played()
	f := sc.Figures()
	if f.Accepted != 4 || f.Succeeded != 3 || f.Left != 1 || f.Again != 1 || f.P50 != 3*time.Second || f.Longest != 11*time.Second || f.Late < 33 || f.Late > 34 {
		t.Errorf("of the photos: %+v", f)
	}
	if f.Most != 2 || f.Launched != 1 || f.QueueGone != 3*time.Second || f.Least != 3*time.Second {
		t.Errorf("of the fleet: %+v", f)
	}
	if s := sc.Samples[3]; s.Seen != 2 || s.Wait != 11 {
		t.Errorf("photos of the third second: %+v", s)
	}
}

// TestFleetThatIsAtItsLeastBefore the load ends, although no sample is of that moment.
func TestFleetThatIsAtItsLeastBefore(t *testing.T) {
	t.Parallel()
	sc := played()
	sc.Phases[0].Length = 13500 * time.Millisecond
	if f := sc.Figures(); f.Least != 0 {
		t.Errorf("it was at its least %s after the load", f.Least)
	}
	var page strings.Builder
	if err := writePage(&page, Stack{}, []Scenario{sc}, ""); err != nil || !strings.Contains(page.String(), "before its end") {
		t.Errorf("%v, in\n%s", err, &page)
	}
}

func TestWhatIsWritten(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := Write(folder, Stack{}, []Scenario{played()}, "It rained."); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	page := read("results.md")
	for _, want := range []string{"| photos accepted | 4 |", "results/target-wait.svg", "-phases 10s@1-2", "\n\nIt rained.\n", "3.0 s, 11 s, 11 s"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if rows, err := csv.NewReader(strings.NewReader(read("results/target-wait.csv"))).ReadAll(); err != nil || len(rows) != 16 {
		t.Errorf("the samples have %d rows, %v", len(rows), err)
	}
	picture := xml.NewDecoder(bytes.NewReader([]byte(read("results/target-wait.svg"))))
	for {
		if _, err := picture.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the picture: %v", err)
		}
	}
}
