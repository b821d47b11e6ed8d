package main

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"maskfleet/inference-worker/slot"
	"maskfleet/inference-worker/slot/slottest"
	"maskfleet/pkg/vision"
	"maskfleet/pkg/vision/visiontest"
	"maskfleet/pkg/visionconfig"
)

const photosPerRound = 60

// BenchmarkCost compares the CPU time of a photo in a slot, both processes taken
// together, with that of a bare loop in this process, and shows what a slot holds
// in memory. The ratio is to stay below 1.25, an idle slot below 200 MB.
//
//	go test -run '^$' -bench Cost -benchtime 1x ./inference-worker/cmd/slot
func BenchmarkCost(b *testing.B) {
	program, err := slottest.Build(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	detector, err := vision.New(visionconfig.Config{WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesOff})
	if err != nil {
		b.Fatal(err)
	}
	defer detector.Close()
	for _, size := range []image.Point{{X: 640, Y: 480}, {X: 1920, Y: 1440}, {X: 4032, Y: 3024}} {
		photo := visiontest.JPEG(size.X, size.Y,
			visiontest.Face{Centre: size.Div(3), Radius: size.Y / 8, Masked: true},
			visiontest.Face{Centre: image.Pt(size.X*2/3, size.Y/3), Radius: size.Y / 8},
		)
		b.Run(strconv.Itoa(size.X), func(b *testing.B) {
			var bare, inSlot time.Duration
			var rest, used int64
			for b.Loop() {
				bare += bareLoop(b, detector, photo)
				start, _, _ := slotLoop(b, program, photo, 0)
				var whole time.Duration
				whole, rest, used = slotLoop(b, program, photo, photosPerRound)
				inSlot += whole - start
			}
			photos := float64(b.N * photosPerRound)
			b.ReportMetric(0, "ns/op") // wall time says nothing here
			b.ReportMetric(bare.Seconds()*1e3/photos, "bare-ms/photo")
			b.ReportMetric(inSlot.Seconds()*1e3/photos, "slot-ms/photo")
			b.ReportMetric(float64(inSlot)/float64(bare), "ratio")
			b.ReportMetric(float64(rest)/1e6, "MB-at-rest")
			b.ReportMetric(float64(used)/1e6, "MB-after-work")
		})
	}
}

// bareLoop gives the CPU time of the photos in this process.
func bareLoop(b *testing.B, detector *vision.Detector, photo []byte) time.Duration {
	before := cpuTime(b)
	for range photosPerRound {
		if _, err := detector.Analyze(photo); err != nil {
			b.Fatal(err)
		}
	}
	return cpuTime(b) - before
}

// slotLoop gives the CPU time of the photos in a slot, the slot's start and end
// included, and its resident bytes before the first and after the last photo.
func slotLoop(b *testing.B, program string, photo []byte, photos int) (cpu time.Duration, rest, used int64) {
	cfg := slot.Config{
		Program: program, Slots: 1, ItemTimeout: time.Minute,
		DataLimitBytes: 768 << 20, ReplaceAboveBytes: 300 << 20, Nice: 5,
		Vision: visionconfig.Config{WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesOff},
	}
	before := cpuTime(b)
	pool, err := slot.NewPool(cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- pool.Run(ctx) }()
	s := <-pool.Tokens()
	rest = childResidentBytes(b)
	for range photos {
		if _, err := s.Analyze(b.Context(), slot.Request{Data: photo, Attempt: 1}); err != nil {
			b.Fatal(err)
		}
	}
	used = childResidentBytes(b)
	s.Release()
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	return cpuTime(b) - before, rest, used
}

// cpuTime is what this process and its ended children have used.
func cpuTime(b *testing.B) time.Duration {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		if err := syscall.Getrusage(who, &usage); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return sum
}

// childResidentBytes is the size of this process's only child.
func childResidentBytes(b *testing.B) int64 {
	statuses, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		b.Fatal(err)
	}
	for _, status := range statuses {
		text, err := os.ReadFile(status)
		if err != nil || !strings.Contains(string(text), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid())) {
			continue // it has ended, or is another's
		}
		_, field, _ := strings.Cut(string(text), "VmRSS:")
		kilobytes, err := strconv.ParseInt(strings.Fields(field)[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		return kilobytes << 10
	}
	b.Fatal("no slot is running")
	return 0
}
