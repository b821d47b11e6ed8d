package host

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// limit is far more than anything takes; machines may be busy.
const limit = time.Minute

func openHost(t *testing.T) *Host {
	t.Helper()
	h, err := Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// boot starts a machine whose one program is a line of shell.
func boot(t *testing.T, h *Host, script string, change ...func(*Spec)) Spec {
	t.Helper()
	address := firstFree(h)
	spec := Spec{
		ID: "i-test", Address: address, Programs: []Program{{Name: "program", Command: []string{"sh", "-c", script}, UserData: true}},
		Metadata: Metadata{InstanceID: "i-test", LocalIPv4: address.String(), Zone: "eu-central-1a", TokensRequired: true},
	}
	for _, change := range change {
		change(&spec)
	}
	if err := h.Boot(spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

func firstFree(h *Host) netip.Addr {
	address := h.Network().Addr().As4()
	address[3] = 9
	return netip.AddrFrom4(address)
}

func eventually(t *testing.T, what string, look func() bool) {
	t.Helper()
	for ends := time.Now().Add(limit); !look(); {
		if time.Now().After(ends) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// text of a file that a program writes; it is whole once it ends with a line's end.
func text(t *testing.T, path string) string {
	t.Helper()
	var got string
	eventually(t, path+" is written", func() bool {
		data, _ := os.ReadFile(path)
		got = string(data)
		return strings.HasSuffix(got, "\n")
	})
	return strings.TrimSpace(got)
}

func alive(pid int) bool {
	_, alive := readSession(strconv.Itoa(pid))
	return alive
}

func pidIn(t *testing.T, path string) int {
	t.Helper()
	pid, err := strconv.Atoi(text(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestMachineTellsItsPrograms(t *testing.T) {
	t.Parallel()
	h := openHost(t)
	spec := boot(t, h, `echo "$FROM_IMAGE $FROM_USER $AWS_EC2_METADATA_SERVICE_ENDPOINT" > told; exec sleep 1000`, func(s *Spec) {
		s.Programs[0].Environment = map[string]string{"FROM_IMAGE": "${instance-id}@${local-ipv4}", "FROM_USER": "image"}
		s.Metadata.UserData = []byte("\n# a comment\nFROM_USER=user\n")
	})
	got := text(t, filepath.Join(h.dir, "instances", spec.ID, "told"))
	if want := "i-test@" + spec.Address.String() + " user http://" + spec.Address.String() + ":1338"; got != want {
		t.Errorf("it was told %q, want %q", got, want)
	}
}

// TestMachineTellsOfItsOwnCPU: what one uses of its share is all that its programs read,
// whatever else runs on this computer.
func TestMachineTellsOfItsOwnCPU(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string
		is     func(share float64) bool
	}{
		"at work": {"while :; do :; done", func(share float64) bool { return share > 0.3 }}, // the computer may be busy
		"idle":    {"exec sleep 1000", func(share float64) bool { return share < 0.3 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHost(t)
			spec := boot(t, h, `echo "$INSTANCE_STAT" > told; `+c.script, func(s *Spec) { s.Cores = 0.1 })
			path := text(t, filepath.Join(h.dir, "instances", spec.ID, "told"))
			var said string
			var share float64
			eventually(t, "two seconds of its share are told of", func() bool {
				data, _ := os.ReadFile(path)
				said = string(data)
				var busy, zero, idle float64
				if _, err := fmt.Sscanf(said, "cpu %g %g %g %g", &busy, &zero, &zero, &idle); err != nil {
					return false
				}
				share = busy / (busy + idle)
				return busy+idle > 20 // of the 100 that a core has in a second
			})
			if !c.is(share) {
				t.Errorf("it says %q, %.0f %% of its share", said, 100*share)
			}
		})
	}
}

// TestNoProgramReadsTheBootBefore: counters that go back are no reading.
func TestNoProgramReadsTheBootBefore(t *testing.T) {
	t.Parallel()
	h := openHost(t)
	dir := filepath.Join(h.dir, "instances", "i-test")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, statName), []byte("cpu  987654 0 0 987654 0 0 0 0 0 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	boot(t, h, `{ cat "$INSTANCE_STAT"; echo read; } > reading; mv reading found; exec sleep 1000`)
	if found := text(t, filepath.Join(dir, "found")); strings.Contains(found, "987654") {
		t.Errorf("its program reads %q", found)
	}
}

func TestUserDataThatIsNoEnvironmentStartsNothing(t *testing.T) {
	t.Parallel()
	h := openHost(t)
	boot(t, h, "exec sleep 1000", func(s *Spec) { s.Metadata.UserData = []byte("#!/bin/sh\nreboot now\n") })
	eventually(t, "the machine has booted", func() bool { return !h.Machines()[0].BootedAt.IsZero() })
	if programs := h.Machines()[0].Programs; len(programs) != 0 {
		t.Errorf("it started %v", programs)
	}
}

func TestShutDown(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		script string
		limit  time.Duration
		want   string // what the program could still say
	}{
		"a program may end by itself":         {`trap 'echo bye > said; exit' TERM; echo $$ > pid; while :; do sleep 0.05; done`, limit, "bye"},
		"one that does not is killed":         {`trap '' TERM; echo $$ > pid; while :; do sleep 0.05; done`, 50 * time.Millisecond, ""},
		"what it started is killed":           {`set -m; (trap '' TERM; while :; do sleep 0.05; done) & echo $! > pid; exec sleep 1000`, limit, ""},
		"what a program that died left there": {`set -m; (trap '' TERM; while :; do sleep 0.05; done) & echo $! > pid`, limit, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHost(t)
			spec := boot(t, h, c.script)
			dir := filepath.Join(h.dir, "instances", spec.ID)
			pid := pidIn(t, filepath.Join(dir, "pid"))
			h.ShutDown(t.Context(), spec.ID, c.limit)
			if alive(pid) {
				t.Errorf("process %d is alive", pid)
			}
			if said, _ := os.ReadFile(filepath.Join(dir, "said")); strings.TrimSpace(string(said)) != c.want {
				t.Errorf("it said %q, want %q", said, c.want)
			}
			if left := h.Machines(); len(left) != 0 {
				t.Errorf("machines are left: %v", left)
			}
			// A child that was forked and is not another program yet holds the
			// address for a moment.
			eventually(t, "it boots again", func() bool { return h.Boot(spec) == nil })
		})
	}
}

// TestShutDownTwice: an API that was killed asks again after it was started. What hears
// it twice may take the second for an order to hurry.
func TestShutDownTwice(t *testing.T) {
	t.Parallel()
	h := openHost(t)
	spec := boot(t, h, `trap 'echo heard >> heard' TERM; echo $$ > pid; while :; do sleep 0.02; echo >> ticks; done`)
	dir := filepath.Join(h.dir, "instances", spec.ID)
	pidIn(t, filepath.Join(dir, "pid"))
	var asked sync.WaitGroup
	ask := func() { h.ShutDown(t.Context(), spec.ID, limit) }
	asked.Go(ask)
	text(t, filepath.Join(dir, "heard"))
	asked.Go(ask)
	ticks := func() int {
		data, _ := os.ReadFile(filepath.Join(dir, "ticks"))
		return len(data)
	}
	before := ticks()
	eventually(t, "the program could hear it again", func() bool { return ticks() > before+10 })
	h.ShutDown(t.Context(), spec.ID, 0)
	asked.Wait()
	if heard := text(t, filepath.Join(dir, "heard")); heard != "heard" {
		t.Errorf("it heard %q, want it to be asked once", heard)
	}
}

func TestHangsStandsStill(t *testing.T) {
	t.Parallel()
	h := openHost(t)
	spec := boot(t, h, `echo $$ > pid; exec sleep 1000`, func(s *Spec) { s.Trouble = Hangs })
	var pid int
	eventually(t, "its program is stopped", func() bool {
		programs := h.Machines()[0].Programs
		if len(programs) == 0 {
			return false
		}
		pid = programs[0].PID
		stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return strings.Contains(string(stat), ") T ")
	})
	h.ShutDown(t.Context(), spec.ID, 50*time.Millisecond)
	if alive(pid) {
		t.Error("a stopped program outlives its machine")
	}
}

func TestAddressIsTheMachinesOwn(t *testing.T) {
	t.Parallel()
	h := openHost(t)
	spec := boot(t, h, "exec sleep 1000")
	spec.ID = "i-other"
	if err := h.Boot(spec); err == nil {
		t.Error("two machines have one address")
	}
	spec.Address = netip.MustParseAddr("127.0.0.9")
	if err := h.Boot(spec); err == nil {
		t.Error("a machine is outside the host's network")
	}
}

func TestNetworksNeverOverlap(t *testing.T) {
	t.Parallel()
	seen := make(map[netip.Prefix]bool)
	for range 5 {
		network := openHost(t).Network()
		if seen[network] {
			t.Errorf("%s was given twice", network)
		}
		seen[network] = true
	}
	dir := t.TempDir()
	var before netip.Prefix
	for range 2 {
		h, err := Open(dir, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if before.IsValid() && h.Network() != before {
			t.Errorf("the same host had %s and has %s", before, h.Network())
		}
		before = h.Network()
		h.Close()
	}
}

// TestAllowance: over any stretch of time no more is used than the share and a burst,
// whatever was used between two looks.
func TestAllowance(t *testing.T) {
	t.Parallel()
	a := allowance{cores: 0.25, left: burst}
	var passed, used time.Duration
	running := true
	for range 10_000 {
		var use time.Duration
		if running {
			use = 2 * shareTick // two cores, all the time
		}
		passed, used = passed+shareTick, used+use
		running = a.settle(shareTick, use)
	}
	want := passed / 4
	if over := used - want; over > burst+2*shareTick || over < -burst {
		t.Errorf("in %s it used %s, want %s", passed, used, want)
	}
	for range 100 {
		a.settle(late, 0)
	}
	if a.left > burst {
		t.Errorf("an idle while left %s, want at most %s", a.left, burst)
	}
}

// TestLateLookHaltsForAMoment: whoever ran for a second on two cores, because nobody
// looked, does not stand still for the seven seconds that would pay for it.
func TestLateLookHaltsForAMoment(t *testing.T) {
	t.Parallel()
	a := allowance{cores: 0.25}
	if a.settle(time.Second, 2*time.Second) {
		t.Error("it runs on as if nothing was used")
	}
	halted := shareTick
	for !a.settle(shareTick, 0) {
		halted += shareTick
	}
	if most := 2 * late * 4; halted > most {
		t.Errorf("it is halted for %s, want %s at most", halted, most)
	}
}

func TestMeterCountsWhatEnded(t *testing.T) {
	t.Parallel()
	var m meter
	own := syscall.Getpid()
	first := m.read([]int{own})
	if first <= 0 {
		t.Fatalf("this process has used %s", first)
	}
	if after := m.read(nil); after != first {
		t.Errorf("after its end the machine has used %s, want %s", after, first)
	}
}

// TestNothingBootsAfterTheEnd: the API, which goes on for a moment, would start again
// what is being ended.
func TestNothingBootsAfterTheEnd(t *testing.T) {
	t.Parallel()
	h := openHost(t)
	spec := boot(t, h, "sleep 1000")
	h.ShutDownAll(0)
	if err := h.Boot(spec); !errors.Is(err, ErrClosing) {
		t.Errorf("booting after the end: %v, want ErrClosing", err)
	}
	if left := h.Machines(); len(left) > 0 {
		t.Errorf("there are %v after the end", left)
	}
}
