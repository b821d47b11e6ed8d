package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"maskfleet/scaler/simulate"
)

func start(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(args, &out, &errs)
	return status, out.String(), errs.String()
}

func TestTableAndCharts(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	status, stdout, stderr := start(t, "--trace", "step", "--policy", "target-wait,knative", "--charts", folder)
	if status != statusOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	for _, part := range []string{"clairvoyant", "target-wait", "knative", "144051 photos"} {
		if !strings.Contains(stdout, part) {
			t.Errorf("the table does not have %q:\n%s", part, stdout)
		}
	}
	page, err := os.ReadFile(filepath.Join(folder, "step.html"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(page), "<polygon"); n != 9 {
		t.Errorf("%d charts, want three of each rule", n)
	}
	if strings.Contains(string(page), "NaN") || strings.Contains(string(page), "ZgotmplZ") || strings.Contains(string(page), "<script") {
		t.Error("the page has what no chart is made of")
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mine.csv")
	if err := os.WriteFile(file, []byte("minute,requests\n0,100\n1,100\n59,700\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(policy, []byte(`{"format":1,"policy":"manual","manual":{"size":3}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := start(t, "--trace", file, "--json", "--policy", "cpu-ratio", "--candidate", policy,
		"--boot", "25", "--min", "2", "--max", "4", "--slots", "2", "--seed", "5", "--scale", "0.5", "--phase", "0.25")
	if status != statusOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	var all []simulate.Comparison
	if err := json.Unmarshal([]byte(stdout), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || len(all[0].Rows) != 3 || all[0].Trace != "mine" || all[0].Slots != 2 || all[0].Rows[2].Policy != "candidate" {
		t.Fatalf("got %s", stdout)
	}
	for _, r := range all[0].Rows {
		if r.InstanceHours < 2 || r.CostRatio <= 0 {
			t.Errorf("%s: %+v", r.Policy, r)
		}
	}
}

func TestWrongArguments(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"no such trace":                 {"--trace", "nowhere.csv"},
		"no trace at all":               {"--trace", ""},
		"no policy at all":              {"--policy", " , "},
		"no such policy":                {"--policy", "guess"},
		"a candidate that is not named": {"--policy", "target-wait,candidate"},
		"no such flag":                  {"--speed", "3"},
		"min above max":                 {"--min", "9"},
		"a boot of no":                  {"--boot", "0"},
		"phase beyond":                  {"--phase", "2"},
		"a bare file":                   {"step.csv"},
		"no candidate":                  {"--candidate", "nowhere.json"},
		"not a candidate":               {"--candidate", "main.go"},
	} {
		if status, _, stderr := start(t, append(args, "--json")...); status != statusUsage || stderr == "" {
			t.Errorf("%s: status %d, %q", name, status, stderr)
		}
	}
}

// TestNothingIsPlayedForNothing: what is wrong with the last of the arguments is said
// before the first is played.
func TestNothingIsPlayedForNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, args := range map[string][]string{
		"a policy": {"--trace", "steady", "--policy", "static-max,guess"},
		"a trace":  {"--trace", "steady,nowhere.csv", "--policy", "static-max"},
	} {
		status, stdout, stderr := start(t, append(args, "--charts", folder)...)
		if status != statusUsage || stdout != "" {
			t.Errorf("%s: status %d, %q, after %q", name, status, stderr, stdout)
		}
	}
	if status, _, stderr := start(t, "--trace", "nowhere.csv", "--policy", "guess"); status != statusUsage || !strings.Contains(stderr, "guess") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// TestAsIs plays as many photos as there are requests.
func TestAsIs(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mine.csv")
	if err := os.WriteFile(file, []byte("minute,requests\n0,100\n1,100\n59,700\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for scale, want := range map[string]int{"1": 900, "2": 1800} {
		status, stdout, stderr := start(t, "--trace", file, "--json", "--policy", "static-max", "--as-is", "--scale", scale)
		if status != statusOK {
			t.Fatalf("status %d: %s", status, stderr)
		}
		var all []simulate.Comparison
		if err := json.Unmarshal([]byte(stdout), &all); err != nil {
			t.Fatal(err)
		}
		if all[0].Photos != want || all[0].Scaled != float64(want)/900 {
			t.Errorf("%s times: %d photos, %g for each request", scale, all[0].Photos, all[0].Scaled)
		}
	}
}

// TestCandidateByName: --candidate adds it, naming it too adds nothing.
func TestCandidateByName(t *testing.T) {
	t.Parallel()
	policy := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(policy, []byte(`{"format":1,"policy":"manual","manual":{"size":3}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := start(t, "--trace", "step", "--json", "--policy", "candidate,static-max", "--candidate", policy)
	if status != statusOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	var all []simulate.Comparison
	if err := json.Unmarshal([]byte(stdout), &all); err != nil {
		t.Fatal(err)
	}
	if rows := all[0].Rows; len(rows) != 3 || rows[1].Policy != "candidate" || rows[1].InstanceHours > 7 {
		t.Errorf("got %s", stdout)
	}
}

// TestSeedIsOfBootsToo, which --jitter draws.
func TestSeedIsOfBootsToo(t *testing.T) {
	t.Parallel()
	longest := map[float64]bool{}
	for _, seed := range []string{"1", "2", "3"} {
		o, err := parseOptions([]string{"--trace", "step", "--seed", seed, "--jitter", "30", "--policy", "static-max", "--json"}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		scenarios, err := o.scenarios()
		if err != nil {
			t.Fatal(err)
		}
		s := scenarios[0]
		photos := s.Load.Photos(simulate.Sizing{Seed: 1, ServiceSeconds: 0.12, PeakSlots: 6.4}) // the same each time
		longest[simulate.Play(photos, s.Plant, 1, simulate.Fixed(8)).WaitQuantiles(1)[0]] = true
	}
	if len(longest) != 3 {
		t.Errorf("three seeds made the same boots: %v", longest)
	}
}
