package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// progress says how far the demo is: on a terminal one line that changes, elsewhere
// a line now and then.
type progress struct {
	out      io.Writer
	terminal bool
	total    int
	every    int // photos a line, where lines stay

	mu           sync.Mutex // guards done and failed
	done, failed int
}

func newProgress(out *os.File, total int) *progress {
	const fewLines = 20
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &progress{out: out, terminal: terminal, total: total, every: max(1, total/fewLines)}
}

func (p *progress) finished(o outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if o.failure != "" {
		p.failed++
	}
	switch {
	case p.terminal:
		fmt.Fprintf(p.out, "\r\x1b[K%s", p.text())
	case p.done%p.every == 0 || p.done == p.total:
		fmt.Fprintln(p.out, p.text())
	}
}

func (p *progress) text() string {
	text := fmt.Sprintf("%d of %s done", p.done, inPhotos(p.total))
	if p.failed > 0 {
		text += fmt.Sprintf(", %d failed", p.failed)
	}
	return text
}

// end leaves the changing line.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprintln(p.out)
	}
}

// printOutcomes prints the table, then the failures with their sentences.
func printOutcomes(s steps, outcomes []outcome, took time.Duration) {
	const mostWidth = 60
	width := len("photo")
	for _, o := range outcomes {
		width = max(width, min(mostWidth, utf8.RuneCountInString(printable(o.photo.name))))
	}
	s.line("")
	s.line("%-*s  %5s  %6s  %8s  %12s", width, "photo", "faces", "masked", "unmasked", "milliseconds")
	for _, o := range outcomes {
		if o.failure != "" {
			s.line("%-*s  %5s  %6s  %8s  %12s", width, printable(o.photo.name), "-", "-", "-", "failed")
			continue
		}
		s.line("%-*s  %5d  %6d  %8d  %12d", width, printable(o.photo.name), o.faces, o.masked, o.unmasked, o.took.Milliseconds())
	}
	s.line("")
	printSum(s, outcomes, took)
	for _, o := range outcomes {
		if o.failure != "" {
			s.line("%s: %s", printable(o.photo.path), printable(o.failure))
		}
	}
}

func printSum(s steps, outcomes []outcome, took time.Duration) {
	var faces, masked, unmasked, failed int
	for _, o := range outcomes {
		faces, masked, unmasked = faces+o.faces, masked+o.masked, unmasked+o.unmasked
		if o.failure != "" {
			failed++
		}
	}
	s.line("%s in %.1f s: %d faces, %d masked, %d unmasked, as the detector sees them.",
		inPhotos(len(outcomes)), took.Seconds(), faces, masked, unmasked)
	s.line("Milliseconds run from a photo's acceptance to its result; they include waiting for those before it.")
	if failed > 0 {
		s.line("")
		s.line("%d failed:", failed)
	}
}

func inPhotos(n int) string {
	if n == 1 {
		return "1 photo"
	}
	return fmt.Sprintf("%d photos", n)
}

// printable keeps the name of a file from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, text)
}
