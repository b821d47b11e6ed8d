package telemetry

import (
	"bytes"
	"regexp"
	"slices"
	"sync"
)

const (
	tailLines     = 200
	tailLineBytes = 2048 // of a longer line no more is kept
)

// tail keeps the last lines of a log, for whoever cannot get at where they go. It is
// given a line at a time, as slog's handlers write.
type tail struct {
	mu    sync.Mutex // guards all below
	lines [][]byte   // a ring
	next  int
}

func (t *tail) Write(line []byte) (int, error) {
	kept := slices.Clone(bytes.TrimRight(line[:min(len(line), tailLineBytes)], "\n"))
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) < tailLines {
		t.lines = append(t.lines, kept)
	} else {
		t.lines[t.next] = kept
	}
	t.next = (t.next + 1) % tailLines
	return len(line), nil
}

// last gives the last n lines, the oldest first.
func (t *tail) last(n int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	have := len(t.lines)
	n = max(0, min(n, have))
	lines := make([]string, 0, n)
	for i := have - n; i < have; i++ {
		at := i
		if have == tailLines {
			at = (t.next + i) % tailLines
		}
		lines = append(lines, hidden(string(t.lines[at])))
	}
	return lines
}

// What must leave a machine in no line, although none should stand there: passwords in
// addresses, what signs a link, and fields by their names.
var (
	passwordInAddress = regexp.MustCompile(`(://[^/@\s:"]*:)[^@/\s"]+@`)
	signature         = regexp.MustCompile(`(?i)([?&\\u0026](?:x-amz-[a-z-]+|signature|token|key|sig)=)[^&\s"\\]+`)
	secretField       = regexp.MustCompile(`(?i)("?[a-z0-9_.-]*(?:password|passwd|secret|token|credential|api_?key|authorization|cookie|_dsn)[a-z0-9_.-]*"?[=:])("(?:[^"\\]|\\.)*"|[^\s,}]+)`)
)

func hidden(line string) string {
	line = passwordInAddress.ReplaceAllString(line, "${1}•••@")
	line = signature.ReplaceAllString(line, "${1}•••")
	return secretField.ReplaceAllString(line, `${1}"•••"`)
}

// Tail gives the last lines of the log, at most 200, the oldest first, without what
// looks like a secret.
func (t *Telemetry) Tail(lines int) []string { return t.tail.last(lines) }
