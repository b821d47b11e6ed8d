package manager_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/testenv"
)

// object is a JSON object of a test.
type object = map[string]any

// standIn answers the scaler's commands as the scaler does, and remembers what it was
// asked to do.
type standIn struct {
	mu        sync.Mutex // guards all below
	instances []object
	decision  object
	young     int // instances that are too many, and stay for their age
	policy    object
	revision  uint64
	version   int // of the policy, by what people said of the size
	versions  []object
	done      []string // the commands that were no dry run, with who asked
	asked     []object // their requests
}

// scale has somebody answer the scaler's commands.
func (s *site) scale(t testing.TB) *standIn {
	t.Helper()
	in := &standIn{
		policy: object{
			"format": 1, "version": 4, "policy": "cpu-ratio", "min": 1, "max": 8, "slots_per_instance": 2, "tick_seconds": 1,
			"target_wait": object{"target_seconds": 10, "late_price": 16, "boot_seconds": 60, "service_seconds": 0.12},
			"cpu_ratio":   object{"grow_above": 0.7, "shrink_below": 0.3, "expand": 2, "keep": 0.5}, "manual": object{"size": 1},
		},
		revision: 41, version: 4,
		decision: object{
			"at": time.Now(), "policy": "cpu-ratio", "version": 4, "size": 3, "wanted": 3, "clamped": 3, "target": 3, "decided": "cpu",
			"wants": []object{{"name": "cpu", "instances": 3, "why": "the CPU is at 54 %"}}, "reason": "3, because the CPU is at 54 %",
		},
	}
	in.versions = []object{
		{"revision": 41, "put_at": time.Now().Add(-time.Hour), "version": 4, "policy": "cpu-ratio"},
		{"revision": 37, "put_at": time.Now().Add(-3 * time.Hour), "version": 3, "policy": "target-wait"},
	}
	for i, role := range []string{"ready", "ready", "starting"} {
		id := "i-0" + string(rune('a'+i)) + "77c2"
		target := object{"state": []string{"healthy", "unhealthy", "initial"}[i]}
		if i == 1 {
			target["reason"] = "Target.FailedHealthChecks"
		}
		in.instances = append(in.instances, object{
			"id": id, "type": "c7i.large", "zone": "eu-central-1a", "address": "10.0.1.1" + string(rune('0'+i)), "state": "running", "shown": true,
			"launched_at": time.Now().Add(-time.Duration(i+1) * time.Hour), "health": "ready", "target": target,
			"image": "ami-0a5c", "key_pair": "operators", "public_address": "203.0.113.7", "tags": object{"maskfleet:pool": "main"}, "role": role,
		})
	}
	server, err := command.Open(s.nats.As("scaler"), s.doors.Store, s.doors.Queue, testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	withdraw, err := server.Offer(command.Service{Name: "maskfleet-scaler", Does: "Stands in for the scaler.", Area: "scaler"}, in.commands()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(withdraw)
	return in
}

// tooMany has it say that so many instances stay for their age.
func (in *standIn) tooMany(young int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.young = young
}

// anything is a request whatever its fields: a test looks at them.
type anything map[string]json.RawMessage

func (in *standIn) commands() []command.Command {
	read := func(path string, answer func(q anything) any) command.Command {
		return command.Read(path, "A test's.", anything{}, any(object{}), func(_ context.Context, q anything) (any, error) {
			in.mu.Lock()
			defer in.mu.Unlock()
			return answer(q), nil
		})
	}
	change := func(path string, answer func(q anything) (object, error)) command.Command {
		return command.Change(path, "A test's.", anything{}, object{}, func(_ context.Context, call command.Call, q anything) (object, error) {
			in.mu.Lock()
			defer in.mu.Unlock()
			said, err := answer(q)
			if err == nil && !call.DryRun {
				if path == "policy.put" {
					in.put(said["policy"])
				}
				if _, sized := said["size"]; sized {
					in.version++
					said["version"] = in.version
				}
				in.goOn(path, said)
				in.done = append(in.done, path+" by "+call.By.Name+" via "+string(call.By.Via))
				request := object{}
				for name, value := range q {
					request[name] = string(value)
				}
				in.asked = append(in.asked, request)
			}
			return said, err
		})
	}
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	pin := func(size int) object {
		return object{"kind": "pin", "size": size, "who": "admin", "why": "no reason given", "until": until}
	}
	return []command.Command{
		read("status", func(anything) any {
			return object{
				"young": in.young, "young_until": time.Now().Add(time.Minute),
				"leading": true, "scaler": "scaler-1", "fleet": object{"ready": 2, "starting": 1, "draining": 0, "failed": 0, "stopped": 0},
				"decision": in.decision, "policy": in.policy, "readings": []object{{"reading": "backlog", "age_seconds": 0.4}, {"reading": "cpu", "trouble": "CloudWatch does not answer"}},
			}
		}),
		read("instances", func(anything) any {
			return object{"at": time.Now(), "total": len(in.instances), "instances": in.instances, "user_data": "NATS_URL=nats://worker:hush@10.0.0.9\nMYSQL_PASSWORD=hush2\nSLOTS=2\n"}
		}),
		read("history", func(q anything) any {
			to := time.Now().UTC().Truncate(time.Minute)
			return object{"instance": "i-0a77c2", "from": to.Add(-3 * time.Hour), "to": to, "period": "1m", "points": []object{
				{"at": to.Add(-2 * time.Hour), "cpu": 0.37, "requests": 48}, {"at": to.Add(-time.Minute), "cpu": 0.52, "requests": 60, "jobs": 9},
			}}
		}),
		read("policy", func(anything) any { return object{"in_force": in.policy, "revision": in.revision, "followed": true} }),
		read("policy.versions", func(anything) any { return object{"versions": in.versions} }),
		read("replay", func(anything) any {
			came := func(hours, late float64) object {
				return object{"instance_hours": hours, "late_share": late, "photos": 61204, "longest_wait_seconds": 41.5, "launches": 40, "peak_instances": 6, "late_after_seconds": 10}
			}
			return object{
				"from": time.Now().Add(-24 * time.Hour), "to": time.Now(), "candidate": came(31.2, 0.0041), "in_force": came(29.8, 0.0112), "happened": came(30.5, 0.013),
				"says": "would have cost 31.2 instance-hours, 0.41 % late, the longest wait 42 s, 40 launches",
			}
		}),
		change("grow", func(anything) (object, error) {
			return object{"was": 3, "size": 4, "launch": 1, "override": pin(4), "version": 5}, nil
		}),
		change("shrink", func(anything) (object, error) {
			return object{"was": 3, "size": 2, "launch": 0, "retire": []string{"i-0b77c2"}, "override": pin(2), "version": 5}, nil
		}),
		change("resize", func(q anything) (object, error) {
			var size int
			_ = json.Unmarshal(q["size"], &size)
			return object{"was": 3, "size": size, "launch": max(0, size-3), "override": pin(size), "version": 5, "notes": []string{"that is outside of the policy's 1 to 8"}}, nil
		}),
		change("terminate-all", func(anything) (object, error) {
			return object{"was": 3, "size": 0, "launch": 0, "retire": []string{"i-0a77c2", "i-0b77c2", "i-0c77c2"}, "override": object{"kind": "pin", "who": "admin", "why": "x"}, "version": 5}, nil
		}),
		change("drain", func(q anything) (object, error) {
			return object{"instance": q["instance"], "was": "ready", "in_hand": 2, "launch": 1}, nil
		}),
		change("destroy", func(q anything) (object, error) {
			return object{"instance": q["instance"], "was": "ready", "in_hand": 2, "launch": 1}, nil
		}),
		change("pause", func(anything) (object, error) {
			return object{"was": 3, "size": 3, "launch": 0, "override": object{"kind": "freeze", "who": "admin", "why": "x", "until": until}, "version": 5}, nil
		}),
		change("resume", func(anything) (object, error) {
			return object{"was": 4, "size": 3, "launch": 0, "young": 1, "ended": []object{pin(4)}, "version": 6}, nil
		}),
		change("policy.put", func(q anything) (object, error) {
			var p object
			if err := json.Unmarshal(q["policy"], &p); err != nil {
				return nil, err
			}
			if p["max"].(float64) < p["min"].(float64) { //nolint:forcetypeassert // a test's own document
				return nil, problem.New(400, "invalid_request", "The policy cannot be followed: min is above max.")
			}
			return object{"was": in.policy, "policy": p, "version": 5, "revision": in.revision + 1}, nil
		}),
		change("policy.restore", func(anything) (object, error) {
			then := object{}
			for name, value := range in.policy {
				then[name] = value
			}
			then["policy"] = "target-wait"
			return object{"was": in.policy, "policy": then, "version": 5, "revision": 60}, nil
		}),
	}
}

// lateness is how long the scaler of a test takes to decide by what it was told.
const lateness = 300 * time.Millisecond

// goOn has what a command did show a moment later, as with the scaler, whose next
// decision and next look at its instances are.
func (in *standIn) goOn(path string, said object) {
	instance := fmt.Sprintf("%s", said["instance"])
	time.AfterFunc(lateness, func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		if version, ok := said["version"]; ok {
			in.decision = maps.Clone(in.decision) // the one before may be on its way still
			in.decision["version"] = version
			if size, ok := said["size"]; ok {
				in.decision["target"] = size
			}
		}
		if path == "drain" || path == "destroy" {
			in.instances = slices.Clone(in.instances)
			for n, i := range in.instances {
				if fmt.Sprintf("%q", i["id"]) == instance {
					i = maps.Clone(i)
					i["role"], i["retirement"] = "draining", object{"begun_at": time.Now(), "by": "admin", "reason": "no reason given", "final": true}
					in.instances[n] = i
				}
			}
		}
	})
}

// put takes a document for the one in force.
func (in *standIn) put(policy any) {
	in.policy = maps.Clone(policy.(object)) //nolint:forcetypeassert // a test's own document
	in.policy["version"] = 5
	in.revision++
	in.versions = append([]object{{"revision": in.revision, "put_at": time.Now(), "version": 5, "policy": in.policy["policy"]}}, in.versions...)
}

// pinned has the scaler say that a person decided.
func (in *standIn) pinned(size int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.decision = maps.Clone(in.decision) // the one before may be on its way still
	in.decision["target"], in.decision["override"] = size, object{"kind": "pin", "size": size, "who": "bob", "why": "the open day"}
}

// eventually waits until something holds that nobody tells of.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to this: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// ended has the scaler name the instance no longer.
func (in *standIn) ended(id string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.instances = slices.DeleteFunc(slices.Clone(in.instances), func(i object) bool { return i["id"] == id })
}

func (in *standIn) did(what string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Contains(in.done, what)
}

// lastAsked is a field of the last request that was no dry run.
func (in *standIn) lastAsked(field string) any {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.asked) == 0 {
		return nil
	}
	return in.asked[len(in.asked)-1][field]
}
