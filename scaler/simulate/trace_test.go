package simulate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"maskfleet/scaler/simulate"
)

func TestReadLoad(t *testing.T) {
	t.Parallel()
	load, err := simulate.ReadLoad(strings.NewReader("\ufeffminute, requests\r\n0,5\n\n3, 2.5\n3,1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if load.BinSeconds != 60 || !slices.Equal(load.Requests, []float64{5, 0, 0, 3.5}) {
		t.Errorf("got %+v", load)
	}
}

func TestFilesThatAreNoTrace(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":           "",
		"no header":       "0,5\n",
		"another header":  "hour,requests\n0,5\n",
		"no comma":        "minute,requests\n0 5\n",
		"no number":       "minute,requests\n0,many\n",
		"not a number":    "minute,requests\n0,NaN\n",
		"negative":        "minute,requests\n0,-1\n",
		"before the time": "minute,requests\n-1,5\n",
		"endless":         "second,requests\n99999999999,5\n",
		"beyond all":      "minute,requests\n307445734561825861,5\n", // times 60 it is 44, by overflow
		"no requests":     "minute,requests\n0,0\n",
	} {
		if _, err := simulate.ReadLoad(strings.NewReader(text)); !errors.Is(err, simulate.ErrTrace) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzReadLoad(f *testing.F) {
	f.Add("minute,requests\n0,5\n3,1e8\n")
	f.Add("second,requests\n1,1\n1,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		load, err := simulate.ReadLoad(strings.NewReader(text))
		if err == nil && (len(load.Requests) == 0 || load.Seconds() <= 0) {
			t.Errorf("%q became %+v", text, load)
		}
	})
}

func TestShiftTurnsInACircle(t *testing.T) {
	t.Parallel()
	load := simulate.Load{BinSeconds: 60, Requests: []float64{1, 2, 3, 4}}
	for by, want := range map[int][]float64{0: {1, 2, 3, 4}, 60: {2, 3, 4, 1}, 240: {1, 2, 3, 4}, 180: {4, 1, 2, 3}, -60: {4, 1, 2, 3}} {
		if got := load.Shift(by).Requests; !slices.Equal(got, want) {
			t.Errorf("by %d s: got %v, want %v", by, got, want)
		}
	}
}

// TestPhotosAreTheSameEachTime, in number and in order, and twice as many for twice
// the load.
func TestPhotosAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	load, err := simulate.OpenLoad("step")
	if err != nil {
		t.Fatal(err)
	}
	size := simulate.Sizing{Seed: 1, ServiceSeconds: 0.12, Variation: 0.5, PeakSlots: 6.4}
	first, second := load.Photos(size), load.Photos(size)
	if !slices.Equal(first.Arrive, second.Arrive) || !slices.Equal(first.Service, second.Service) {
		t.Error("two draws of one seed differ")
	}
	if !slices.IsSorted(first.Arrive) {
		t.Error("photos do not come in order")
	}
	size.PeakSlots *= 2
	if twice, once := len(load.Photos(size).Arrive), len(first.Arrive); twice < 2*once-once/50 || twice > 2*once+once/50 {
		t.Errorf("%d photos of twice the load of %d", twice, once)
	}
}

func TestEveryBuiltInTraceIsOne(t *testing.T) {
	t.Parallel()
	for _, name := range simulate.BuiltIn() {
		load, err := simulate.OpenLoad(name)
		if err != nil || load.Name != name || load.Seconds() < 3600 {
			t.Errorf("%s: %v, %d s", name, err, load.Seconds())
		}
		if slices.Min(load.Requests) < 0 {
			t.Errorf("%s has negative load", name)
		}
	}
}
