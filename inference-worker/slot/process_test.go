package slot

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"maskfleet/inference-worker/slot/wire"
	"maskfleet/pkg/job"
	"maskfleet/pkg/testenv"
)

func TestGuardWatchesMemory(t *testing.T) {
	t.Parallel()
	p, err := startProcess(t.Context(), testConfig(), testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	stop := p.guard(t.Context(), time.Minute, 1)
	_, err = p.exchange(faulty("hang"))
	if v := stop(); v != verdictMemory || err == nil || !p.gone() {
		t.Errorf("verdict is %q, error %v, gone %t; want %q, an end of output, gone", v, err, p.gone(), verdictMemory)
	}
}

func TestPoolDistrustsALyingSlot(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"slot-that-invents", "slot-that-floods", "slot-that-leaves"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := startPool(t, func(c *Config) { c.Program = part(t, name) })
			slot := take(t, pool)
			_, err := slot.Analyze(t.Context(), Request{Data: []byte("photo"), Attempt: 1})
			failureOf(t, err, job.CodeDecoderCrashed, true)
			if !slot.process.gone() {
				t.Error("it lives on")
			}
		})
	}
}

func TestStartProcessFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ends context.CancelCauseFunc
		want error
	}{
		"slot-that-babbles": {want: wire.ErrMalformed},
		"slot-that-quits":   {},
	} {
		cfg := testConfig()
		cfg.Program = part(t, name)
		p, err := startProcess(t.Context(), cfg, testenv.Logger(t))
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: process %v, error %v", name, p, err)
		}
	}
	stopping := errors.New("we are stopping")
	ctx, cancel := context.WithCancelCause(t.Context())
	cfg := testConfig()
	cfg.Program = part(t, "slot-that-sleeps")
	time.AfterFunc(50*time.Millisecond, func() { cancel(stopping) })
	if _, err := startProcess(ctx, cfg, testenv.Logger(t)); !errors.Is(err, stopping) {
		t.Errorf("stopped while starting: %v", err)
	}
}

func TestPoolTriesAgain(t *testing.T) {
	t.Parallel()
	pool := startPool(t, func(c *Config) { c.Program = part(t, "slot-that-quits") })
	until(t, "the third start", func() bool {
		return testutil.ToFloat64(pool.metrics.deaths.WithLabelValues(diedStarting)) >= 3
	})
}

func TestNewPoolRefusesBadSettings(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"no such program": func(c *Config) { c.Program = "/nowhere/slot" },
		"no program":      func(c *Config) { c.Program = "" },
		"negative slots":  func(c *Config) { c.Slots = -1 },
		"no time":         func(c *Config) { c.ItemTimeout = 0 },
		"little memory":   func(c *Config) { c.DataLimitBytes = 1 << 20 },
		"no size":         func(c *Config) { c.ReplaceAboveBytes = 0 },
		"higher priority": func(c *Config) { c.Nice = -1 },
		"working point":   func(c *Config) { c.Vision.WorkingPoint = "slow" },
		"no such tiles":   func(c *Config) { c.Vision.Tiles = "" },
	} {
		cfg := testConfig()
		change(&cfg)
		if _, err := NewPool(cfg, testenv.Logger(t), nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	cfg := testConfig()
	cfg.Slots = 0
	pool, err := NewPool(cfg, testenv.Logger(t), nil)
	if err != nil || pool.Size() < 1 {
		t.Errorf("as many slots as cores: %v", err)
	}
}

func TestNewPoolRefusesABadModel(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.Vision.ModelFolder = t.TempDir()
	_, err := NewPool(cfg, testenv.Logger(t), nil)
	if err == nil || !strings.Contains(err.Error(), "MODEL_FOLDER") || !strings.Contains(err.Error(), "manifest.json") {
		t.Errorf("error is %v, want one that names what is missing", err)
	}
}

func TestStderrLogIsBounded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := newStderrLog(slog.New(slog.NewTextHandler(&out, nil)))
	write := func(text string) {
		if n, err := l.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatalf("Write: %d, %v", n, err)
		}
	}
	write("first li")
	write("ne\nsecond line\n")
	if got := out.String(); !strings.Contains(got, `line="first line"`) || !strings.Contains(got, `line="second line"`) {
		t.Errorf("logged %q", got)
	}
	for range 1000 {
		write(strings.Repeat("x", 999) + "\n")
	}
	if out.Len() > 3*stderrBytesPerPhoto {
		t.Errorf("%d bytes were logged", out.Len())
	}
	out.Reset()
	l.refill()
	write("next photo\n")
	if !strings.Contains(out.String(), "next photo") {
		t.Errorf("after a refill: %q", out.String())
	}
}
