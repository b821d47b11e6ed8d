package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"maskfleet/deployments/local/stack"
	"maskfleet/pkg/job"
	"maskfleet/pkg/vision/visiontest"
)

// BenchmarkIdlePhoto sends one photo after another through an idle system of usual
// settings and reports, in milliseconds, the median from the POST to the readable
// result, the median of the slot's own time in the same requests, and the median of
// what the pipeline adds. Beside them stands what the processes hold resident, in
// megabytes.
func BenchmarkIdlePhoto(b *testing.B) {
	e := startEnv(b, stack.Options{})
	photo := visiontest.JPEG(1280, 960)
	e.timed(b, photo) // the first one opens connections
	var total, slot, added []time.Duration
	for b.Loop() {
		took, inSlot := e.timed(b, photo)
		total, slot, added = append(total, took), append(slot, inSlot), append(added, took-inSlot)
	}
	for unit, values := range map[string][]time.Duration{"total-ms": total, "slot-ms": slot, "added-ms": added} {
		b.ReportMetric(float64(median(values))/1e6, unit)
	}
	b.ReportMetric(residentMB(b, e.Part("ingest").PID()), "ingest-MB")
	b.ReportMetric(residentMB(b, e.Part("inference-worker").PID()), "worker-MB")
	for i, pid := range e.slots(b) {
		b.ReportMetric(residentMB(b, pid), fmt.Sprintf("slot%d-MB", i))
	}
}

// BenchmarkWorkerCost sends photos and reports the CPU milliseconds that a photo costs
// in the worker's own process and in its slots, what a bare loop of the same decode,
// detect, draw and encode costs in between, and the ratio, which is to stay below 1.25.
//
//	go test -run '^$' -bench WorkerCost -benchtime 60x ./deployments/local/e2e
func BenchmarkWorkerCost(b *testing.B) {
	program := filepath.Join(b.TempDir(), "bareloop")
	if out, err := exec.Command("go", "build", "-o", program, "maskfleet/inference-worker/cmd/slot/bareloop").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	e := startEnv(b, stack.Options{})
	photo := visiontest.JPEG(1920, 1280)
	e.timed(b, photo)
	worker, slots := e.Part("inference-worker").PID(), e.slots(b)
	ownBefore, slotsBefore := cpuMillis(b, worker), cpuMillis(b, slots...)
	bare := bareLoop(b, program, photo) // the stack is idle meanwhile
	idle := float64(cpuMillis(b, worker) - ownBefore)
	ownBefore = cpuMillis(b, worker)
	for b.Loop() {
		e.timed(b, photo)
	}
	own := float64(cpuMillis(b, worker)-ownBefore) / float64(b.N)
	inSlots := float64(cpuMillis(b, slots...)-slotsBefore) / float64(b.N)
	bare = (bare + bareLoop(b, program, photo)) / 2 // before and after: the machine has other work
	b.ReportMetric(bare, "bare-cpu-ms")
	b.ReportMetric(own, "worker-cpu-ms")
	b.ReportMetric(inSlots, "slots-cpu-ms")
	b.ReportMetric(idle, "idle-cpu-ms") // of the worker while the loop ran
	b.ReportMetric((own+inSlots)/bare, "ratio")
}

// bareLoop gives the CPU milliseconds of a photo in a process of its own.
func bareLoop(b *testing.B, program string, photo []byte) float64 {
	b.Helper()
	cmd := exec.Command(program)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(photo), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	millis, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return millis
}

// cpuMillis adds up user and system time of processes, from /proc/PID/stat in ticks
// of 10 ms (proc(5)).
func cpuMillis(tb testing.TB, pids ...int) int {
	tb.Helper()
	const userTime, systemTime, tickMillis = 11, 12, 10 // counted after the name
	total := 0
	for _, pid := range pids {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			tb.Fatal(err)
		}
		_, afterName, _ := strings.Cut(string(data), ") ")
		fields := strings.Fields(afterName)
		for _, at := range []int{userTime, systemTime} {
			ticks, err := strconv.Atoi(fields[at])
			if err != nil {
				tb.Fatal(err)
			}
			total += ticks * tickMillis
		}
	}
	return total
}

// timed uploads a photo, waits for its result over HTTP and gives the time that took
// and the part of it that the slot worked.
func (e *env) timed(b *testing.B, photo []byte) (took, slot time.Duration) {
	b.Helper()
	began := time.Now()
	a, err := e.post(b.Context(), photo)
	if err != nil || a.status/100 != 2 {
		b.Fatalf("not accepted: %+v, %v", a, err)
	}
	detection, err := e.result(b.Context(), a.id)
	if err != nil || detection.Status != job.StateSucceeded {
		b.Fatalf("no result: %+v, %v", detection, err)
	}
	return time.Since(began), time.Duration(detection.Timing.Inference) * time.Millisecond
}

type detection struct {
	Status job.State `json:"status"`
	Timing struct {
		Inference int `json:"inference"`
	} `json:"timing_ms"`
}

func (e *env) result(ctx context.Context, id job.ID) (d detection, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.info.URLs.Web+"/v1/detections/"+id.String()+"?wait=30", nil)
	if err != nil {
		return d, err
	}
	req.Header.Set("Authorization", "Bearer "+e.info.APIKey)
	resp, err := e.web.Do(req)
	if err != nil {
		return d, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(data, &d)
}

func median(values []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// residentMB reads VmRSS of proc(5).
func residentMB(tb testing.TB, pid int) float64 {
	tb.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kB, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				tb.Fatal(err)
			}
			return float64(kB) / 1024
		}
	}
	tb.Fatalf("process %d has no resident size", pid)
	return 0
}
