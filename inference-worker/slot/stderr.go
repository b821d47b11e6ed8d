package slot

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

const (
	stderrBytesPerPhoto = 2 << 10 // a crash report's first lines; the rest is of no use
	stderrLineBytes     = 500
)

// stderrLog passes what a slot writes to its standard error on to the log, so much
// a photo and no more: a photo can make a decoder complain for ever.
type stderrLog struct {
	log *slog.Logger

	mu     sync.Mutex // guards what follows
	budget int
	line   []byte // begun, not yet ended
	last   string // ended
}

func newStderrLog(log *slog.Logger) *stderrLog {
	return &stderrLog{log: log, budget: stderrBytesPerPhoto}
}

// refill gives the next photo its share.
func (l *stderrLog) refill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget = stderrBytesPerPhoto
}

func (l *stderrLog) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	length := len(text)
	for len(text) > 0 && l.budget > 0 {
		line, _, whole := bytes.Cut(text[:min(len(text), l.budget)], []byte{'\n'})
		used := len(line)
		if whole {
			used++
		}
		l.budget -= used
		text = text[used:]
		l.line = append(l.line, line...)
		if whole || l.budget == 0 || len(l.line) >= stderrLineBytes {
			l.flush()
		}
	}
	return length, nil
}

func (l *stderrLog) flush() {
	if line := bytes.TrimSpace(l.line); len(line) > 0 {
		l.last = strings.ToValidUTF8(string(line[:min(len(line), stderrLineBytes)]), "?")
		l.log.Warn("slot wrote to its standard error", "line", l.last)
	}
	l.line = l.line[:0]
}

// lastLine is what the slot wrote last; "" if nothing.
func (l *stderrLog) lastLine() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
