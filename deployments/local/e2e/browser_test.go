package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"maskfleet/pkg/webui/browser"
)

var screenshots = flag.String("screenshots", "", "folder for screenshots of the pages of a whole stack")

// TestPersonInABrowser logs in at the balancer, uploads three photos at once, watches
// them finish without reloading, opens one, and looks into the manager.
func TestPersonInABrowser(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tab := browser.Open(t)
	shoot := func(name string) {
		if *screenshots != "" {
			tab.Screenshot(filepath.Join(*screenshots, name+".png"))
		}
	}
	tab.Go(e.info.URLs.Web)
	e.logIn(tab)
	tab.Choose("#file", e.files(t, 3)...)
	tab.Await(`document.querySelectorAll('.card.succeeded').length === 3`)
	shoot("upload")
	if said := tab.See(".card.succeeded .outcome"); said != "2 faces, 1 with a mask" {
		t.Errorf("the card says %q", said)
	}
	tab.Click(".card a.name")
	tab.See(".verdict")
	tab.Await(`document.querySelectorAll('a.box').length === 2`)
	tab.Await(`document.querySelector('.stage img').complete && document.querySelector('.stage img').naturalWidth === 960`)
	shoot("photo")
	tab.Size(390, 844)
	shoot("photo-phone")
	tab.Size(1280, 800)
	tab.Go(e.info.URLs.Web + "/photos")
	tab.Await(`document.querySelectorAll('tbody tr').length === 3`)
	shoot("photos")

	tab.Go(e.info.URLs.Manager)
	if tab.Address() != e.info.URLs.Manager+"/" {
		e.logIn(tab)
	}
	tab.Await(`document.body.innerText.includes('local-1') && document.body.innerText.includes('interactive')`)
	shoot("manager")
	if problems := tab.Problems(); len(problems) > 0 {
		t.Errorf("the browser complained: %q", problems)
	}
}

func (e *env) logIn(tab *browser.Tab) {
	tab.Type("#username", e.info.Administrator.Username)
	tab.Type("#password", e.info.Administrator.Password)
	tab.Click("main button")
}

// files writes the drawn photo under n names.
func (e *env) files(t *testing.T, n int) []string {
	t.Helper()
	dir := t.TempDir()
	paths := make([]string, n)
	for i := range paths {
		paths[i] = filepath.Join(dir, string(rune('a'+i))+".jpg")
		if err := os.WriteFile(paths[i], twoFaces(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}
