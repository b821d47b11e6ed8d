package simulate_test

import (
	"testing"

	"maskfleet/scaler/decide"
	"maskfleet/scaler/simulate"
)

// playCandidate gives what became of a policy document on the step.
func playCandidate(t *testing.T, p decide.Policy) simulate.Row {
	t.Helper()
	load, err := simulate.OpenLoad("step")
	if err != nil {
		t.Fatal(err)
	}
	c, err := simulate.Compare(simulate.Scenario{
		Load: load, Plant: plant(), Candidate: &p,
		Sizing: simulate.Sizing{Seed: 1, ServiceSeconds: 0.12, Variation: 0.5, PeakSlots: 6.4},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Rows[1]
}

// TestCandidateIsPlayedAsWritten, but for what persons put in its place.
func TestCandidateIsPlayedAsWritten(t *testing.T) {
	t.Parallel()
	p := decide.DefaultPolicy()
	p.Kind, p.Manual.Size = decide.Manual, 3
	p.Overrides = []decide.Override{{Kind: decide.Pin, Size: 8, Who: "ann", Why: "a demo"}}
	if r := playCandidate(t, p); r.InstanceHours > 7 {
		t.Errorf("three for two hours, a pin left out: %.1f instance-hours", r.InstanceHours)
	}
	p = decide.DefaultPolicy()
	p.Max = 4
	if r := playCandidate(t, p); r.Peak != 4 {
		t.Errorf("four at most: there were %d", r.Peak)
	}
	p.Max = 20
	if r := playCandidate(t, p); r.Peak != 8 {
		t.Errorf("eight is what the plant has: there were %d", r.Peak)
	}
	p = decide.DefaultPolicy()
	usual := playCandidate(t, p)
	p.Wait.TargetSeconds = 120
	patient := playCandidate(t, p)
	if patient.InstanceHours >= usual.InstanceHours || patient.Late <= usual.Late {
		t.Errorf("a target of 120 s: %.1f instance-hours, %d late; of 10 s: %.1f, %d", patient.InstanceHours, patient.Late, usual.InstanceHours, usual.Late)
	}
}

// TestCandidateKeepsItsTicks: between them nothing changes, and it sees nonetheless.
func TestCandidateKeepsItsTicks(t *testing.T) {
	t.Parallel()
	load, err := simulate.OpenLoad("step")
	if err != nil {
		t.Fatal(err)
	}
	photos := load.Photos(simulate.Sizing{Seed: 1, ServiceSeconds: 0.12, Variation: 0.5, PeakSlots: 6.4})
	p := decide.DefaultPolicy()
	p.TickSeconds = 30
	o := simulate.Play(photos, plant(), 2, simulate.NewPolicy(p, plant(), photos.Mean))
	for second := 1; second < len(o.Fleet); second++ {
		if o.Fleet[second] != o.Fleet[second-1] && second%30 != 0 {
			t.Fatalf("the fleet changed after %d s", second)
		}
	}
	if o.Actions < 4 {
		t.Errorf("%d actions", o.Actions)
	}
}
