package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for a page before it fails.
const patience = 2 * time.Minute

// Tab is a tab with a profile of its own. It remembers what went wrong on its pages.
type Tab struct {
	t   testing.TB
	ctx context.Context //nolint:containedctx // chromedp's tab is its context

	mu       sync.Mutex // guards problems
	problems []string
}

// Open opens a tab in a window of 1280 by 800 pixels that shares nothing with other
// tests' tabs, neither cookies nor storage, and ends with the test.
func Open(t testing.TB) *Tab {
	t.Helper()
	chromium, err := started()
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(leave)
	tab := &Tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, tab.hear); err != nil {
		t.Fatalf("opening a tab: %v", err)
	}
	tab.Size(1280, 800)
	return tab
}

func (b *Tab) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		what := e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			what += " " + thrown.Description
		}
		b.note("exception: " + what)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.note(fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	}
}

func (b *Tab) note(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, what)
}

// Problems gives what scripts threw and the browser complained of since the last
// call, such as a violated policy or a missing file.
func (b *Tab) Problems() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := b.problems
	b.problems = nil
	return found
}

// run does one action; what cannot be done in half a minute fails the test and
// leaves a screenshot.
func run[T any](b *Tab, doing string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		shot := filepath.Join(os.TempDir(), strings.ReplaceAll(b.t.Name(), "/", "_")+".png")
		b.save(shot)
		b.t.Fatalf("%s: %v; the browser complained of %q; see %s", doing, err, b.Problems(), shot)
	}
	return value
}

// Eval gives the value of a JavaScript expression.
func Eval[T any](b *Tab, expression string) T {
	b.t.Helper()
	return run(b, expression, chromedp.Evaluate[T](expression))
}

// Screenshot writes what the window shows to a file.
func (b *Tab) Screenshot(path string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		b.t.Fatal(err)
	}
	b.save(path)
}

func (b *Tab) save(path string) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(path, png, 0o600)
	}
	if err != nil {
		b.t.Logf("no screenshot: %v", err)
	}
}
