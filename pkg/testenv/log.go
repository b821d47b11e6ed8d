package testenv

import (
	"log/slog"
	"sync"
	"testing"
)

// Logger gives a logger into the test's own log, shown when the test fails. What
// is logged after the test has ended is dropped.
func Logger(tb testing.TB) *slog.Logger {
	tb.Helper()
	w := &testWriter{tb: tb}
	tb.Cleanup(w.close)
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type testWriter struct {
	mu     sync.Mutex // guards closed; a test that has ended must not be written to
	tb     testing.TB
	closed bool
}

func (w *testWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return len(line), nil
	}
	return w.tb.Output().Write(line)
}

func (w *testWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}
