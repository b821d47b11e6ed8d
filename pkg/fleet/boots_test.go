package fleet

import (
	"fmt"
	"testing"
	"time"
)

var judging = Config{BootDeadline: 150 * time.Second, Silence: 15 * time.Second, BreakerPause: 10 * time.Minute} //nolint:gochecknoglobals // a constant

func TestHealthOfAnInstance(t *testing.T) {
	t.Parallel()
	type moment struct {
		at    time.Duration // since the launch
		beats bool
		want  Health
	}
	for _, test := range []struct {
		name    string
		moments []moment
	}{
		{"boots and lives", []moment{{0, false, HealthBooting}, {149 * time.Second, false, HealthBooting}, {150 * time.Second, true, HealthReady}}},
		{"never boots", []moment{{0, false, HealthBooting}, {150 * time.Second, false, HealthOverdue}, {time.Hour, false, HealthOverdue}}},
		{"boots late after all", []moment{{0, false, HealthBooting}, {150 * time.Second, false, HealthOverdue}, {151 * time.Second, true, HealthReady}}},
		{"its worker dies", []moment{{30 * time.Second, true, HealthReady}, {44 * time.Second, false, HealthReady}, {45 * time.Second, false, HealthDangling}}},
		{"its worker comes back", []moment{{30 * time.Second, true, HealthReady}, {50 * time.Second, false, HealthDangling}, {51 * time.Second, true, HealthReady}}},
		{"found by a new scaler, its first heartbeat not read yet", []moment{{time.Hour, false, HealthReady}, {time.Hour + 2*time.Second, true, HealthReady}}},
		{"found by a new scaler without a worker", []moment{{time.Hour, false, HealthReady}, {time.Hour + 15*time.Second, false, HealthDangling}}},
	} {
		launch, b := time.Now(), newBoots(judging)
		for _, m := range test.moments {
			now := launch.Add(m.at)
			alive := Heartbeats{}
			if m.beats {
				alive["i-1"] = now.Add(time.Hour) // another's clock
			}
			instances := []Instance{{ID: "i-1", State: StateRunning, LaunchedAt: launch}}
			b.lookOften(now, instances)
			if b.judge(now, instances, alive); instances[0].Health != m.want {
				t.Errorf("%s, after %s: %q, want %q", test.name, m.at, instances[0].Health, m.want)
			}
		}
	}
}

// lookOften looks and hears nothing, every second until now, as a scaler does.
func (b *boots) lookOften(now time.Time, instances []Instance) {
	if b.lookedAt.IsZero() {
		return
	}
	for b.lookedAt.Add(time.Second).Before(now) {
		b.judge(b.lookedAt.Add(time.Second), instances, Heartbeats{})
	}
}

// TestDeafnessIsNobodysSilence: when nobody could listen for a while, the first looks
// afterwards come before the next sign of life, and give nobody up.
func TestDeafnessIsNobodysSilence(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		looks  []time.Duration // after the last sign of life
		silent time.Duration   // dangling from this look on; 0: at none
	}{
		{"the broker was away", []time.Duration{2 * time.Second, time.Minute, 62 * time.Second, 64 * time.Second}, 0},
		{"and the worker is dead", []time.Duration{2 * time.Second, time.Minute, 62 * time.Second, 64 * time.Second, 66 * time.Second, 68 * time.Second}, 68 * time.Second},
		{"EC2 takes ten seconds for each list", []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second}, 30 * time.Second},
	} {
		launch, b := time.Now(), newBoots(judging)
		instances := []Instance{{ID: "i-1", State: StateRunning, LaunchedAt: launch}}
		b.judge(launch, instances, Heartbeats{"i-1": launch})
		for _, at := range test.looks {
			b.judge(launch.Add(at), instances, Heartbeats{"i-1": launch})
			want := HealthReady
			if test.silent > 0 && at >= test.silent {
				want = HealthDangling
			}
			if instances[0].Health != want {
				t.Errorf("%s, at %s: %q, want %q", test.name, at, instances[0].Health, want)
			}
		}
	}
}

func TestAHeartbeatThatStandsStillIsNone(t *testing.T) {
	t.Parallel()
	launch, b := time.Now(), newBoots(judging)
	instances, alive := []Instance{{ID: "i-1", State: StateRunning, LaunchedAt: launch}}, Heartbeats{"i-1": launch}
	b.judge(launch, instances, alive)
	for at := range 16 {
		b.judge(launch.Add(time.Duration(at)*time.Second), instances, alive)
	}
	if instances[0].Health != HealthDangling {
		t.Errorf("the same heartbeat again and again: %q", instances[0].Health)
	}
}

func TestWithoutHeartbeatsNobodyIsJudged(t *testing.T) {
	t.Parallel()
	b := newBoots(judging)
	instances := []Instance{{ID: "i-1", State: StateRunning, LaunchedAt: time.Now().Add(-time.Hour)}}
	if b.judge(time.Now(), instances, nil); instances[0].Health != HealthUnknown || len(b.lives) != 0 {
		t.Errorf("health %q, %d lives", instances[0].Health, len(b.lives))
	}
}

// TestBootsThatEndByThemselves count, as those that never give a sign do; those that we
// end do not.
func TestBootsThatEndByThemselves(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, ends := range map[string]func(b *boots, id string){
		"by themselves": func(*boots, string) {},
		"by us":         func(b *boots, id string) { b.excuse(id) },
	} {
		b := newBoots(judging)
		for n := range failedBootsInARow {
			id := fmt.Sprint("i-", n)
			b.judge(now, []Instance{{ID: id, State: StatePending, LaunchedAt: now}}, Heartbeats{})
			ends(&b, id)
			b.judge(now, nil, Heartbeats{})
		}
		if got, want := b.allow(now, 5), map[string]int{"by themselves": 0, "by us": 5}[name]; got != want {
			t.Errorf("ended %s: %d are allowed, want %d", name, got, want)
		}
	}
}

func TestThreeFailedBootsInARowSuspendLaunching(t *testing.T) {
	t.Parallel()
	b, now := newBoots(judging), time.Now()
	boots := 0
	boot := func(succeeds bool) {
		boots++
		i := []Instance{{ID: fmt.Sprint("i-", boots), State: StateRunning, LaunchedAt: now}}
		alive := Heartbeats{}
		b.judge(now, i, alive)
		now = now.Add(judging.BootDeadline)
		b.lookOften(now, i)
		if succeeds {
			alive[i[0].ID] = now
		}
		b.judge(now, i, alive)
		b.judge(now, i, alive) // it counts once
	}
	for _, succeeds := range []bool{false, false, true, false, false} {
		boot(succeeds)
	}
	if n := b.allow(now, 5); n != 5 {
		t.Fatalf("after two failures in a row %d are allowed, want 5", n)
	}
	boot(false)
	for _, step := range []struct {
		after time.Duration
		want  int
		tried bool // after it was asked
	}{{0, 0, false}, {judging.BreakerPause - 1, 0, false}, {1, 1, false}, {0, 1, true}, {0, 0, false}, {judging.BreakerPause, 1, false}} {
		now = now.Add(step.after)
		if n := b.allow(now, 5); n != step.want {
			t.Errorf("%s later %d are allowed, want %d", step.after, n, step.want)
		}
		if step.tried {
			b.tried(now)
		}
	}
	boot(true)
	if n := b.allow(now, 5); n != 5 {
		t.Errorf("after a boot that succeeded %d are allowed, want 5", n)
	}
}
