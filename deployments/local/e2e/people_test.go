package e2e

import (
	"path/filepath"
	"testing"

	"maskfleet/pkg/webui/browser"
)

// TestPeopleInABrowser goes the ways of an administrator and of a member of staff at
// the balancer: an invitation, caught as a mail, a first password, three photos, the
// lists, a search, a deletion, a forgotten password.
func TestPeopleInABrowser(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tab := browser.Open(t)
	shoot := func(name string) {
		if *screenshots == "" {
			return
		}
		for _, look := range []struct {
			name, scheme string
			width        int64
		}{{"phone", "light", 390}, {"phone-dark", "dark", 390}, {"dark", "dark", 1280}, {"", "light", 1280}} {
			tab.Scheme(look.scheme)
			tab.Size(look.width, 844)
			tab.Screenshot(filepath.Join(*screenshots, "people-"+name+look.name+".png"))
		}
	}
	logIn := func(name, password string) {
		tab.Type("#username", name)
		tab.Type("#password", password)
		tab.Click("main button")
		tab.See("#drop")
	}
	logOut := func() {
		tab.Click(`form[action="/logout"] button`)
		// The page one comes from may have a field of the same name.
		tab.Await(`document.querySelector('#password') && !document.querySelector('form[action="/logout"]')`)
	}
	web := e.info.URLs.Web

	tab.Go(web)
	logIn(e.info.Administrator.Username, e.info.Administrator.Password)
	tab.Go(web + "/users")
	tab.Type("#username", "carol")
	tab.Type("#email", "carol@site.example")
	tab.Click(`input[value="invitation"]`)
	tab.Click("#new .main")
	tab.See(".notice.good")
	shoot("users")
	logOut()

	tab.Go(e.info.URLs.Mail)
	shoot("mail")
	tab.Click("pre a")
	tab.Type("#new-password", "first words of carol")
	shoot("new-password")
	tab.Click("main button")
	tab.Click("main a.button")
	logIn("carol", "first words of carol")
	tab.Choose("#file", e.files(t, 3)...)
	tab.Await(`document.querySelectorAll('.card.succeeded').length === 3`)
	tab.Go(web + "/") // coming back loses nothing
	tab.Await(`document.querySelectorAll('.card.succeeded').length === 3`)

	tab.Go(web + "/photos?category=some_masked")
	tab.Await(`document.querySelectorAll('tbody tr').length === 3`)
	shoot("history")
	tab.Type("#q", "a.jpg")
	tab.Click(".search button")
	tab.Await(`document.querySelectorAll('tbody tr').length === 1`)
	tab.Click("tbody input")
	tab.Click(".picked .danger")
	tab.See("#delete-photos h2")
	shoot("delete")
	tab.Click("#delete-photos .danger")
	tab.See(".notice.good")
	tab.Go(web + "/photos")
	tab.Await(`location.search === '' && document.querySelectorAll('tbody tr').length === 2`)
	logOut()

	tab.Click(".under")
	tab.Type("#who", "carol@site.example")
	shoot("forgotten")
	tab.Click("main button")
	tab.Await(`document.body.innerText.includes('Look into your mail')`)
	tab.Go(e.info.URLs.Mail)
	for tries := 0; !browser.Eval[bool](tab, `document.querySelectorAll('article').length === 2`) && tries < 100; tries++ {
		tab.Go(e.info.URLs.Mail)
	}
	tab.Click("article:first-of-type pre a")
	tab.Type("#new-password", "second words of carol")
	tab.Click("main button")
	tab.Click("main a.button")
	logIn("carol", "second words of carol")
	if problems := tab.Problems(); len(problems) > 0 {
		t.Errorf("the browser complained: %q", problems)
	}
}
