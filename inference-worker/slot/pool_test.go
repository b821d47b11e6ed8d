package slot

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"maskfleet/inference-worker/slot/slottest"
	"maskfleet/inference-worker/slot/wire"
	"maskfleet/pkg/job"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/vision/visiontest"
	"maskfleet/pkg/visionconfig"
)

// patience is for events that come at once on an idle machine.
const patience = time.Minute

// startPool runs a pool until the test ends.
func startPool(t *testing.T, change func(*Config)) *Pool {
	t.Helper()
	cfg := testConfig()
	change(&cfg)
	pool, err := NewPool(cfg, testenv.Logger(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- pool.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return pool
}

func asItIs(*Config) {}

// take takes a slot, which is released when the test ends at the latest.
func take(t *testing.T, pool *Pool) *Slot {
	t.Helper()
	select {
	case slot := <-pool.Tokens():
		t.Cleanup(slot.Release)
		return slot
	case <-time.After(patience):
		t.Fatal("no slot came free")
		return nil
	}
}

// until waits for something to become true.
func until(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !isSo(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func photoOfTwo() []byte {
	return visiontest.JPEG(800, 450,
		visiontest.Face{Centre: image.Pt(200, 180), Radius: 80, Masked: true},
		visiontest.Face{Centre: image.Pt(600, 180), Radius: 80},
	)
}

func faulty(fault string) Request {
	return Request{Data: slottest.WithFault(photoOfTwo(), fault), Attempt: 1}
}

// failureOf checks the failure of a photo.
func failureOf(t *testing.T, err error, code job.Code, slotDeath bool) { //nolint:revive // what is expected, not what to do
	t.Helper()
	var failure *job.Failure
	if !errors.As(err, &failure) || failure.Code != code || failure.SlotDeath != slotDeath {
		t.Errorf("error is %v, want %s with slot death %t", err, code, slotDeath)
	}
}

func TestSlotAnalyzes(t *testing.T) {
	t.Parallel()
	pool := startPool(t, asItIs)
	slot := take(t, pool)
	for range 2 { // the second time by the same process
		got, err := slot.Analyze(t.Context(), Request{Data: photoOfTwo(), Attempt: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got.Width != 800 || got.Height != 450 || len(got.AnnotatedJPEG) == 0 || len(got.ThumbnailJPEG) == 0 {
			t.Errorf("got %d × %d, pictures of %d and %d bytes", got.Width, got.Height, len(got.AnnotatedJPEG), len(got.ThumbnailJPEG))
		}
		if got.Model != pool.Model() {
			t.Errorf("the result names the model %+v, the pool %+v", got.Model, pool.Model())
		}
		if counts := job.Count(got.Faces); counts != (job.Counts{Faces: 2, Masked: 1, Unmasked: 1}) {
			t.Errorf("counts are %+v", counts)
		}
	}
	if m := pool.Model(); m.Name == "" || m.Version == "" {
		t.Errorf("model is %+v", m)
	}
	if busy := testutil.ToFloat64(pool.metrics.busy); busy != 0 {
		t.Errorf("%v slots are busy after their photos", busy)
	}
	slot.Release()
	slot.Release()
}

func TestSlotSurvivesBadPhotos(t *testing.T) {
	t.Parallel()
	slot := take(t, startPool(t, asItIs))
	whole := photoOfTwo()
	for name, c := range map[string]struct {
		data []byte
		want job.Code
	}{
		"pixels cut short": {whole[:len(whole)-100], job.CodeDecodeFailed},
		"garbage":          {[]byte("garbage"), job.CodeUnsupportedFormat},
		"nothing":          {nil, job.CodeUnsupportedFormat},
		"larger than sent": {make([]byte, wire.MaxPhotoBytes+1), job.CodeImageTooLarge},
	} {
		t.Log(name)
		_, err := slot.Analyze(t.Context(), Request{Data: c.data, Attempt: 1})
		failureOf(t, err, c.want, false)
	}
	if _, err := slot.Analyze(t.Context(), Request{Data: whole, Attempt: 1}); err != nil {
		t.Errorf("after bad photos: %v", err)
	}
}

func TestSlotDeathCostsOnePhoto(t *testing.T) {
	t.Parallel()
	for fault, c := range map[string]struct {
		timeout time.Duration
		want    job.Code
	}{
		"crash":      {time.Minute, job.CodeDecoderCrashed},
		"crash-once": {time.Minute, job.CodeDecoderCrashed},
		"memory":     {time.Minute, job.CodeDecoderCrashed},
		"hang":       {200 * time.Millisecond, job.CodeInferenceTimeout},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			pool := startPool(t, func(c2 *Config) { c2.ItemTimeout = c.timeout })
			first := take(t, pool)
			_, err := first.Analyze(t.Context(), faulty(fault))
			failureOf(t, err, c.want, true)
			until(t, "a replacement before the release", func() bool { return testutil.ToFloat64(pool.metrics.starts) == 2 })
			first.Release()
			second := take(t, pool)
			if second.process.pid() == first.process.pid() {
				t.Error("the dead slot was given out again")
			}
			if got := testutil.ToFloat64(pool.metrics.deaths.WithLabelValues(string(c.want))); got != 1 {
				t.Errorf("%v deaths were counted", got)
			}
		})
	}
}

func TestSlotCrashOnceIsOver(t *testing.T) {
	t.Parallel()
	slot := take(t, startPool(t, asItIs))
	again := faulty("crash-once")
	again.Attempt = 2
	if _, err := slot.Analyze(t.Context(), again); err != nil {
		t.Errorf("the second attempt: %v", err)
	}
}

func TestSlotFaultsOnlyWhereAskedFor(t *testing.T) {
	t.Parallel()
	slot := take(t, startPool(t, func(c *Config) { c.SimulateFaults = false }))
	if _, err := slot.Analyze(t.Context(), faulty("crash")); err != nil {
		t.Errorf("a slot that does not simulate faults: %v", err)
	}
}

func TestSlotKilledMidPhoto(t *testing.T) {
	t.Parallel()
	slot := take(t, startPool(t, asItIs))
	request := faulty("slow=1h")
	pid := slot.process.pid()
	before := bytesRead(t, pid)
	result := make(chan error, 1)
	go func() {
		_, err := slot.Analyze(t.Context(), request)
		result <- err
	}()
	until(t, "the slot has read the photo", func() bool { return bytesRead(t, pid) >= before+len(request.Data) })
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	failureOf(t, <-result, job.CodeDecoderCrashed, true)
}

// bytesRead is how much the process has read since it was started; once it is
// ready it reads nothing but photos.
func bytesRead(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(string(text), "rchar: "), "\n")
	n, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSlotCancelled(t *testing.T) {
	t.Parallel()
	pool := startPool(t, asItIs)
	slot := take(t, pool)
	stopping := errors.New("we are stopping")
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := slot.Analyze(ctx, faulty("hang"))
		result <- err
	}()
	until(t, "the slot is busy", func() bool { return testutil.ToFloat64(pool.metrics.busy) == 1 })
	cancel(stopping)
	if err := <-result; err != stopping { //nolint:errorlint // the very cause is promised
		t.Errorf("error is %v, want the cause", err)
	}
	if _, err := slot.Analyze(ctx, Request{Data: photoOfTwo(), Attempt: 1}); err != stopping { //nolint:errorlint // as above
		t.Errorf("with a context that is over: error is %v, want the cause", err)
	}
	slot.Release()
	next := take(t, pool)
	if _, err := next.Analyze(t.Context(), Request{Data: photoOfTwo(), Attempt: 1}); err != nil {
		t.Errorf("the next photo: %v", err)
	}
}

func TestSlotFoundDeadIsNobodysFault(t *testing.T) {
	t.Parallel()
	pool := startPool(t, asItIs)
	slot := take(t, pool)
	slot.process.kill()
	_, err := slot.Analyze(t.Context(), Request{Data: photoOfTwo(), Attempt: 1})
	failureOf(t, err, job.CodeInternal, false)
	if !errors.Is(err, ErrLost) {
		t.Errorf("error is %v, want ErrLost", err)
	}
}

// A model of one's own is read by every slot before it is confined, and named by every
// result it made.
func TestPoolRunsTheModelOfAFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"manifest.json", "detector.onnx"} {
		data, err := os.ReadFile(filepath.Join("../../pkg/vision/model", name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "manifest.json" {
			data = regexp.MustCompile(`"version": "[^"]*"`).ReplaceAll(data, []byte(`"version": "canary"`))
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := startPool(t, func(c *Config) {
		c.Vision = visionconfig.Config{ModelFolder: folder, WorkingPoint: visionconfig.Fast, Tiles: visionconfig.TilesAuto}
	})
	got, err := take(t, pool).Analyze(t.Context(), Request{Data: photoOfTwo(), Attempt: 1})
	if err != nil {
		t.Fatal(err)
	}
	m := got.Model
	if m != pool.Model() || m.Name != "maskfleet-fast-tiles" || !strings.HasPrefix(m.Version, "canary-") || len(got.Faces) != 2 {
		t.Errorf("the result names %+v, the pool %+v; %d faces", m, pool.Model(), len(got.Faces))
	}
}

func TestPoolKeepsItsSize(t *testing.T) {
	t.Parallel()
	pool := startPool(t, func(c *Config) { c.Slots = 2 })
	if pool.Size() != 2 {
		t.Errorf("size is %d", pool.Size())
	}
	first := take(t, pool)
	second := take(t, pool)
	first.Release()
	if err := syscall.Kill(first.process.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.process.ended
	replacement := take(t, pool)
	if replacement.process.pid() == first.process.pid() {
		t.Error("the dead slot was given out")
	}
	if got := testutil.ToFloat64(pool.metrics.alive); got != 2 {
		t.Errorf("%v slots are alive, want 2", got)
	}
	select {
	case <-pool.Tokens():
		t.Error("a third slot was given out")
	default:
	}
	second.Release()
}

func TestPoolReplacesWhatHasGrown(t *testing.T) {
	t.Parallel()
	pool := startPool(t, func(c *Config) { c.ReplaceAboveBytes = 1 })
	first := take(t, pool)
	if _, err := first.Analyze(t.Context(), Request{Data: photoOfTwo(), Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	first.Release()
	if second := take(t, pool); second.process.pid() == first.process.pid() {
		t.Error("the grown slot was kept")
	}
	select {
	case <-first.process.ended:
	default:
		t.Error("the grown slot lives on")
	}
}

func TestPoolEndsWhenAllAreReleased(t *testing.T) {
	t.Parallel()
	pool, err := NewPool(testConfig(), testenv.Logger(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- pool.Run(ctx) }()
	slot := take(t, pool)
	cancel()
	// A soft stop lets the photo in hand finish.
	if _, err := slot.Analyze(t.Context(), Request{Data: photoOfTwo(), Attempt: 1}); err != nil {
		t.Errorf("a photo in hand when the stop came: %v", err)
	}
	select {
	case <-done:
		t.Error("Run returned before the slot was released")
	default:
	}
	slot.Release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	<-slot.process.ended
}

func TestSlotIsConfined(t *testing.T) {
	t.Parallel()
	slot := take(t, startPool(t, asItIs))
	proc := fmt.Sprintf("/proc/%d/", slot.process.pid())
	read := func(name string) string {
		text, err := os.ReadFile(proc + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if environment := read("environ"); environment != "" {
		t.Errorf("the environment is %q", environment)
	}
	limits := read("limits")
	for what, want := range map[string]string{"Max open files": "0 0", "Max core file size": "0 0", "Max data size": "805306368 805306368"} {
		if !strings.Contains(strings.Join(strings.Fields(limits), " "), what+" "+want) {
			t.Errorf("%s is not %s:\n%s", what, want, limits)
		}
	}
	files, err := filepath.Glob(proc + "fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		// Go's runtime may have a poller and an event of its own.
		if target, _ := os.Readlink(file); !strings.HasPrefix(target, "pipe:") && !strings.HasPrefix(target, "anon_inode:") {
			t.Errorf("%s is open: %s", file, target)
		}
	}
	threads, err := filepath.Glob(proc + "task/*/stat")
	if err != nil || len(threads) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	raw, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	behind := strconv.Itoa(min(20-raw+5, 19)) // the tests themselves may run at a lower priority
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		_, fields, _ := strings.Cut(string(text), ") ") // after the name: state is field 3
		if nice := strings.Fields(fields)[19-3]; nice != behind {
			t.Errorf("a thread's nice is %s, want %s", nice, behind)
		}
	}
	if group := read("stat"); strings.Fields(group)[4] != strconv.Itoa(slot.process.pid()) {
		t.Errorf("it is not the head of a process group of its own: %s", group)
	}
}

// A worker that is killed takes its slots with it, even those that hang over a
// photo and so do not see the end of their input.
func TestSlotsDieWithTheirWorker(t *testing.T) {
	t.Parallel()
	photo := filepath.Join(t.TempDir(), "photo.jpg")
	if err := os.WriteFile(photo, faulty("hang").Data, 0o600); err != nil {
		t.Fatal(err)
	}
	worker := exec.Command(part(t, "worker-to-be-killed"), program, photo)
	stdout, err := worker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(stdout); len(pids) < 2 && lines.Scan(); {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the worker said %q", lines.Text())
		}
		pids = append(pids, pid)
	}
	if err := worker.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = worker.Wait()
	if len(pids) != 2 {
		t.Fatalf("slots are %v, want two", pids)
	}
	for _, pid := range pids {
		until(t, "the slot is gone", func() bool { return isGone(pid) })
	}
}

// isGone says whether the process has ended, reaped by its new parent or not.
func isGone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, fields, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(fields, "Z")
}
