package browser

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"

	"github.com/chromedp/chromedp"

	"maskfleet/pkg/testenv/reserve"
)

var errNoChromium = errors.New("no Chromium on this machine: install the package chromium-headless-shell")

// started is the Chromium of this test binary. To start one costs more than most tests
// do in it.
var started = sync.OnceValues(start)

// start starts one that the kernel ends with this process, and gives the context whose
// children are its tabs.
func start() (context.Context, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	profile, err := reserve.Folder("chromium")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...) // never stopped: see above
	ctx, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	return ctx, nil
}

// find prefers the browser without windows: it takes half the work and fewer packages.
func find() (string, error) {
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoChromium
}
