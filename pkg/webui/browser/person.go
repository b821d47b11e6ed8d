package browser

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const pollEvery = 20 * time.Millisecond

// Go opens an address and waits until the page is loaded.
func (b *Tab) Go(address string) {
	b.t.Helper()
	run(b, "going to "+address, chromedp.Navigate(address))
}

// Click clicks the first element that matches, once it is visible.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	run(b, "clicking "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Type types into the first element that matches.
func (b *Tab) Type(selector, text string) {
	b.t.Helper()
	run(b, "typing into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text, chromedp.NodeVisible))
}

// Press presses a key on the page, such as kb.ArrowRight.
func (b *Tab) Press(key string) {
	b.t.Helper()
	run(b, "pressing a key", chromedp.KeyEvent(key))
}

// Choose chooses files in a file field.
func (b *Tab) Choose(selector string, files ...string) {
	b.t.Helper()
	run(b, "choosing files in "+selector, chromedp.SetUploadFiles(chromedp.CSS(selector), files, chromedp.NodeReady))
}

// Save clicks what is to be saved as a file, and gives the name under which it lies in
// the person's folder then, and what is in it.
func (b *Tab) Save(selector string) (name string, data []byte) {
	b.t.Helper()
	folder := b.t.TempDir()
	call(b, "choosing a folder", browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
		BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	})
	b.Click(selector)
	path := run(b, "saving "+selector, func(ctx context.Context, _ *chromedp.Target) (string, error) {
		tick := time.NewTicker(pollEvery)
		defer tick.Stop()
		for {
			saved, err := filepath.Glob(filepath.Join(folder, "*"))
			if err == nil && len(saved) == 1 && !strings.HasSuffix(saved[0], ".crdownload") { // else it is on its way
				return saved[0], nil
			}
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-tick.C:
			}
		}
	})
	data, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	return filepath.Base(path), data
}

// See waits until the first element that matches is visible and gives its text.
func (b *Tab) See(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(run(b, "looking for "+selector, chromedp.Text(chromedp.CSS(selector), chromedp.NodeVisible)))
}

// Await waits until the JavaScript expression is true, on this page or one that the
// tab goes to meanwhile. An expression that throws is not true yet.
func (b *Tab) Await(expression string) {
	b.t.Helper()
	run(b, "waiting for "+expression, func(ctx context.Context, target *chromedp.Target) (bool, error) {
		ask := chromedp.Evaluate[bool]("Boolean(" + expression + ")")
		tick := time.NewTicker(pollEvery)
		defer tick.Stop()
		for {
			holds, err := ask(ctx, target)
			if holds && err == nil {
				return true, nil
			}
			select {
			case <-ctx.Done():
				return false, errors.Join(ctx.Err(), err)
			case <-tick.C:
			}
		}
	})
}

// Address is where the tab is.
func (b *Tab) Address() string {
	b.t.Helper()
	return run(b, "asking for the address", chromedp.Location())
}

// Size sets the window's inner size in CSS pixels; a narrow one is a phone's.
func (b *Tab) Size(width, height int64) {
	b.t.Helper()
	call(b, "resizing", emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600,
	})
}

// Scheme makes the system prefer "light" or "dark".
func (b *Tab) Scheme(scheme string) {
	b.t.Helper()
	call(b, "preferring "+scheme, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// NoScript turns scripts off on pages opened from now on; Eval and Await still work.
func (b *Tab) NoScript() {
	b.t.Helper()
	call(b, "turning scripts off", emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

func call[P, R any](b *Tab, doing string, command cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.t.Fatalf("%s: %v", doing, err)
	}
}
