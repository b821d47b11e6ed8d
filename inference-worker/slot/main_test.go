package slot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"maskfleet/inference-worker/slot/child"
	"maskfleet/inference-worker/slot/slottest"
	"maskfleet/inference-worker/slot/wire"
	"maskfleet/pkg/job"
	"maskfleet/pkg/visionconfig"
)

// program is the real slot program, built once by TestMain.
var program string

// TestMain builds the slot program. The same binary plays other parts when it is
// started under their names: slots that lie, and a worker that is killed.
func TestMain(m *testing.M) {
	if play, ok := parts()[filepath.Base(os.Args[0])]; ok {
		play()
		return
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "slot-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if program, err = slottest.Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// parts are the programs this binary can play.
func parts() map[string]func() {
	answering := func(analyze child.Analyze) func() {
		return func() { _ = child.Serve(os.Stdin, os.Stdout, job.Model{Name: "liar", Version: "1"}, analyze) }
	}
	return map[string]func(){
		"slot-that-babbles": func() { babble() },
		"slot-that-quits":   func() {},
		"slot-that-sleeps":  func() { time.Sleep(time.Hour) },
		"slot-that-invents": answering(func(wire.Request) (wire.Result, error) {
			return wire.Result{Width: 10, Height: 10, Faces: []job.Face{{Label: "masked", Box: job.Box{XMax: 99, YMax: 99}}}}, nil
		}),
		"slot-that-floods": answering(func(wire.Request) (wire.Result, error) {
			return wire.Result{Width: 10, Height: 10, Annotated: make([]byte, 64<<20)}, nil
		}),
		"slot-that-leaves": answering(func(wire.Request) (wire.Result, error) {
			os.Exit(0)
			return wire.Result{}, nil
		}),
		"worker-to-be-killed": playWorker,
	}
}

func babble() {
	for {
		if _, err := io.WriteString(os.Stdout, "hello there "); err != nil {
			return
		}
	}
}

// playWorker keeps slots with a photo in hand, prints their pids and waits to be
// killed. Its arguments are the slot program and a photo's path.
func playWorker() {
	cfg := testConfig()
	cfg.Program, cfg.Slots, cfg.SimulateFaults = os.Args[1], 2, true
	pool, err := NewPool(cfg, slog.New(slog.DiscardHandler), nil)
	photo, readErr := os.ReadFile(os.Args[2])
	if err := errors.Join(err, readErr); err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = pool.Run(context.Background()) }()
	for range 2 {
		slot := <-pool.Tokens()
		go func() { _, _ = slot.Analyze(context.Background(), Request{Data: photo, Attempt: 1}) }()
		fmt.Println(slot.process.pid())
	}
	select {}
}

// part gives the path under which this binary plays the named part.
func part(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func testConfig() Config {
	return Config{
		Program: program, Slots: 1, ItemTimeout: time.Minute,
		DataLimitBytes: 768 << 20, ReplaceAboveBytes: 300 << 20, Nice: 5,
		Vision:         visionconfig.Config{WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesOff},
		SimulateFaults: true,
	}
}
