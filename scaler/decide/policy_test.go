package decide_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"maskfleet/scaler/decide"
)

func TestPolicyIsRefused(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, text, says string }{
		{"empty", ``, "it is empty"},
		{"cut short", `{"format":1,`, "it ends before it is complete"},
		{"malformed", `{"format":1,}`, "no JSON from byte 12 on"},
		{"malformed below", "{\n  \"format\": 1,\n  \"max\" 4\n}", "no JSON from line 3, byte 9 on"},
		{"not an object", `7`, "it is a number, want an object"},
		{"a text for a number", `{"format":1,"max":"many"}`, "max is a text, want a whole number"},
		{"neither true nor false", `{"format":true}`, "format is true or false, want a whole number"},
		{"a half instance", `{"format":1,"min":1.5}`, "min is 1.5, want a whole number in digits"},
		{"a text below", `{"format":1,"target_wait":{"boot_seconds":"60s"}}`, "target_wait.boot_seconds is a text, want a number"},
		{"no list", `{"format":1,"schedules":{}}`, "schedules is an object, want a list"},
		{"no moment", `{"format":1,"overrides":[{"kind":"pin","until":"noon"}]}`, "overrides[0].until is no moment like 2026-12-01T18:00:00Z"},
		{"a moment in no zone", `{"format":1,"overrides":[{"kind":"pin","until":"2026-12-01T18:00:00"}]}`, "overrides[0].until is no moment"},
		{"a number for a moment", `{"format":1,"overrides":[{"kind":"pin","until":7}]}`, "overrides[0].until is no moment"},
		{"a text in an override", `{"format":1,"overrides":[{"kind":"pin","size":"2"}]}`, "overrides[0].size is a text, want a whole number"},
		{"two documents", `{"format":1} {}`, "no JSON from byte 14 on"},
		{"no format", `{"min":1}`, "does not say its format, which is 1"},
		{"of another format", `{"format":9}`, "format 9 is unknown"},
		{"of another format with other fields", `{"format":9,"future":{}}`, "format 9 is unknown"},
		{"a long name of a kind", `{"format":1,"policy":"` + strings.Repeat("x", 200) + `"}`, `policy is "` + strings.Repeat("x", 40) + `", want`},
		{"a long why", `{"format":1,"overrides":[{"kind":"freeze","who":"a","why":"` + strings.Repeat("x", 1001) + `"}]}`, "a why of more than 1000 bytes"},
		{"of a hundred faults", `{"format":1,"overrides":[` + strings.Repeat(`{"kind":"melt"},`, 99) + `{"kind":"melt"}]}`, "; and 180 more"},
		{"misspelt", `{"format":1,"maxx":3}`, "maxx is not known"},
		{"in capitals", `{"format":1,"Max":3}`, "Max is not known"},
		{"said twice", `{"format":1,"max":3,"max":4}`, "max is there twice"},
		{"misspelt below", `{"format":1,"cpu_ratio":{"grow":1}}`, "cpu_ratio.grow is not known"},
		{"of an unknown kind", `{"format":1,"policy":"ai"}`, `policy is "ai"`},
		{"min above max", `{"format":1,"min":5,"max":4}`, "min 5 is above max 4"},
		{"absurdly large", `{"format":1,"max":1000000000}`, "at most 10000"},
		{"too large a number", `{"format":1,"max":1e400}`, "max is 1e400, want a whole number in digits"},
		{"too long a number", `{"format":1,"version":99999999999999999999}`, "version is 99999999999999999999, which is too large"},
		{"too large a share", `{"format":1,"tick_seconds":1e999}`, "tick_seconds is 1e999, which is too large"},
		{"no instances", `{"format":1,"min":0}`, "min is 0"},
		{"grows below where it shrinks", `{"format":1,"cpu_ratio":{"grow_above":0.3,"shrink_below":0.6}}`, "it would do both"},
		{"would swing", `{"format":1,"cpu_ratio":{"grow_above":0.6,"shrink_below":0.5,"expand":3}}`, "would swing"},
		{"shrinks to more", `{"format":1,"cpu_ratio":{"keep":1.5}}`, "cpu_ratio.keep is 1.5"},
		{"no target", `{"format":1,"target_wait":{"target_seconds":0}}`, "target_seconds is 0"},
		{"an override of nobody", `{"format":1,"overrides":[{"kind":"pin","size":3}]}`, "does not say who and why"},
		{"a pin to no size", `{"format":1,"overrides":[{"kind":"pin","who":"a","why":"b"}]}`, "overrides[0] pins the fleet and does not say to which size"},
		{"a pin to null", `{"format":1,"overrides":[{"kind":"pin","size":null,"who":"a","why":"b"}]}`, "overrides[0] pins the fleet and does not say to which size"},
		{"a freeze of a size", `{"format":1,"overrides":[{"kind":"freeze","size":-9223372036854775808,"who":"a","why":"b"}]}`, "overrides[0] freezes the size and names one"},
		{"an override misspelt", `{"format":1,"overrides":[{"kind":"pin","sise":3}]}`, "overrides[0].sise is not known"},
		{"no override", `{"format":1,"overrides":["pin"]}`, "overrides[0] is a text, want an object"},
		{"an unknown override", `{"format":1,"overrides":[{"kind":"melt","who":"a","why":"b"}]}`, `"melt"`},
		{"bounds upside down", `{"format":1,"overrides":[{"kind":"bounds","min":3,"max":2,"who":"a","why":"b"}]}`, "from 3 to 2"},
		{"a schedule in no zone", `{"format":1,"schedules":[{"name":"x","from":"08:00","to":"09:00","zone":"Mars/North","min":2}]}`, `schedules[0].zone is "Mars/North", want one like Europe/Paris`},
		{"a schedule at no time", `{"format":1,"schedules":[{"name":"x","from":"8","to":"25:00","min":2}]}`, "want times like 08:30"},
		{"a schedule above max", `{"format":1,"schedules":[{"name":"x","from":"08:00","to":"09:00","min":9}]}`, "want 1 to max"},
		{"a schedule misspelt", `{"format":1,"schedules":[{"name":"x","form":"08:00"}]}`, "schedules[0].form is not known"},
		{"a text in a schedule", `{"format":1,"schedules":[{"min":"2"}]}`, "schedules[0].min is a text, want a whole number"},
		{"one day of a schedule", `{"format":1,"schedules":[{"days":"mon"}]}`, "schedules[0].days is a text, want a list"},
		{"no schedule", `{"format":1,"schedules":[7]}`, "schedules[0] is a number, want an object"},
		{"endless", `{"format":1,"overrides":[` + strings.Repeat(" ", 70_000) + `]}`, "at most 65536 are read"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := decide.ReadPolicy([]byte(c.text))
			if !errors.Is(err, decide.ErrPolicy) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestPolicySaysAllThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := decide.ReadPolicy([]byte(`{"format":1,"min":9,"max":2,"policy":"x","slots_per_instance":0,"schedules":[{"zone":"Mars/North"}]}`))
	for _, part := range []string{"min 9", `"x"`, "slots_per_instance", "schedules[0].zone"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %s", err, part)
		}
	}
}

// TestNullLeavesTheDefault, as if it had been left out.
func TestNullLeavesTheDefault(t *testing.T) {
	t.Parallel()
	read, err := decide.ReadPolicy([]byte(`{"format":1,"max":null,"target_wait":{"late_price":null},"cpu_ratio":null,"manual":null,"schedules":null}`))
	want := decide.DefaultPolicy()
	if err != nil || read.Max != want.Max || read.Wait != want.Wait || read.Ratio != want.Ratio || read.Manual != want.Manual {
		t.Errorf("got %+v, %v, want %+v", read, err, want)
	}
}

func TestPolicyIsWrittenAndReadAgain(t *testing.T) {
	t.Parallel()
	p := decide.DefaultPolicy()
	p.Version = 7
	p.Schedules = []decide.Schedule{{Name: "mornings", Days: []string{"mon"}, From: "08:00", To: "10:00", Zone: "UTC", Min: 3}}
	p.Overrides = []decide.Override{{Kind: decide.Pin, Size: 4, Who: "ann", Why: "a demo", Until: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	read, err := decide.ReadPolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != string(again) {
		t.Errorf("got %s, want %s", again, text)
	}
}

// FuzzReadPolicy: no document makes the reader or a decision that follows it panic, and
// what is accepted keeps the fleet within reason.
func FuzzReadPolicy(f *testing.F) {
	f.Add([]byte(`{"format":1}`), 3, 40.0)
	f.Add([]byte(`{"format":1,"policy":"cpu-ratio","max":100,"overrides":[{"kind":"pin","size":0,"who":"a","why":"b"}]}`), 1, 0.0)
	f.Add([]byte(`{"format":1,"policy":"manual","schedules":[{"name":"x","from":"22:00","to":"06:00","zone":"UTC","min":2}]}`), 9, 1e9)
	f.Add([]byte(`{"format":1,"slots_per_instance":256,"max":10000,"target_wait":{"boot_seconds":0.1,"target_seconds":3600,"service_seconds":3600}}`), 7, 5.0)
	f.Fuzz(func(t *testing.T, text []byte, ready int, perSecond float64) {
		p, err := decide.ReadPolicy(text)
		if err != nil {
			return
		}
		known := func(value float64) decide.Reading { return decide.Reading{Value: value, Known: true} }
		o := decide.Observation{
			At: time.Date(2026, 3, 2, 23, 59, 57, 0, time.UTC), Waiting: known(perSecond), InFlight: known(1), CPU: known(0.9),
			Accepted: known(0), Finished: known(0), Worked: known(0),
			Fleet: decide.Fleet{Known: true, Ready: ready % 20_000, Reporting: ready % 20_000, Starting: []time.Duration{time.Second}},
		}
		var h decide.History
		for range 8 {
			var d decide.Decision
			d, h = decide.Decide(o, p, h)
			if d.Target < 0 || d.Target > max(10_000, d.Size) || d.Reason == "" {
				t.Fatalf("decided %+v", d)
			}
			if _, err := json.Marshal(d); err != nil {
				t.Fatal(err)
			}
			if _, err := json.Marshal(h); err != nil {
				t.Fatal(err)
			}
			o.At = o.At.Add(time.Second)
			o.Accepted.Value += perSecond
		}
	})
}
