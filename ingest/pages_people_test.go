package ingest

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"maskfleet/deployments/local/outside"
	"maskfleet/pkg/account"
	"maskfleet/pkg/mail"
	"maskfleet/pkg/webui/browser"
)

// mailing starts a server that catches mail and gives the settings to send to it.
func mailing(t *testing.T) (mail.Config, *outside.Mailbox) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	caught := &outside.Mailbox{}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- caught.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("catching mail ended with %v", err)
		}
	})
	return mail.Config{Address: listener.Addr().String(), TLS: mail.TLSNone, From: "door@site.example"}, caught
}

// openMailingDoor is a door that sends mail; ann is an administrator, and she and
// bob have addresses.
func openMailingDoor(t *testing.T) (*door, *outside.Mailbox) {
	t.Helper()
	cfg, caught := mailing(t)
	d := openDoor(t, storesOfPages(t), func(c *Config) { c.Mail, c.PublicURL = cfg, "https://maskfleet.example/" })
	for _, p := range []*person{&d.ann, &d.bob} {
		p.user.Email = p.user.Username + "@site.example"
		if err := d.store.SetUserEmail(t.Context(), p.user.ID, p.user.Email); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.store.SetUserRole(t.Context(), d.ann.user.ID, account.RoleAdministrator); err != nil {
		t.Fatal(err)
	}
	return d, caught
}

// tokenIn waits for the n-th letter to an address and gives the token of its link.
func tokenIn(t *testing.T, caught *outside.Mailbox, to string, n int) string {
	t.Helper()
	eventually(t, "the mail is there", func() bool { return len(caught.To(to)) == n })
	text := caught.To(to)[0].Text
	found := regexp.MustCompile(`https://maskfleet\.example/password/new\?token=(\w+)`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no link in %q", text)
	}
	return found[1]
}

// form posts a form as a browser of the site would.
func (d *door) form(t *testing.T, path, cookie string, fields ...string) answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return d.browse(t, http.MethodPost, path, cookie, form, nil)
}

func (a answer) says(t *testing.T, status int, text string) {
	t.Helper()
	if a.status != status || !strings.Contains(string(a.body), text) {
		t.Errorf("got %d without %q, want %d with it", a.status, text, status)
	}
}

func TestPasswordIsRecoveredByMailOnce(t *testing.T) {
	t.Parallel()
	d, caught := openMailingDoor(t)
	session := d.session(t, d.bob)
	d.form(t, "/password/forgotten", "", "who", "bob@site.example").says(t, 200, "If there is such an account")
	token := tokenIn(t, caught, "bob@site.example", 1)
	page := "/password/new?token=" + token
	d.browse(t, http.MethodGet, page, "", nil, nil).says(t, 200, "For the account <strong>bob</strong>")
	d.form(t, "/password/new", "", "token", token, "password", "short").says(t, 422, "10 to 256")
	d.form(t, "/password/new", "", "token", token, "password", "a quite new password").says(t, 200, "Your password is set")
	d.form(t, "/password/new", "", "token", token, "password", "another new password").says(t, 410, "works no more")
	d.browse(t, http.MethodGet, page, "", nil, nil).says(t, 410, "works no more")
	if got := d.browse(t, http.MethodGet, "/", session, nil, nil).status; got != http.StatusSeeOther {
		t.Errorf("the session from before gives %d", got)
	}
	d.bob.password = "a quite new password"
	// The site's public address is one of HTTPS, whatever this connection is.
	in := d.form(t, "/login", "", "username", "bob", "password", d.bob.password)
	if cookie := in.header.Get("Set-Cookie"); in.status != http.StatusSeeOther || !strings.Contains(strings.ToLower(cookie), "; secure") {
		t.Errorf("the log-in gives %d and the cookie %q", in.status, cookie)
	}
	records, err := d.store.ListAudit(t.Context(), 10)
	if err != nil || len(records) != 1 || records[0].Action != "user.password_recovered" || strings.Contains(records[0].Subject, token) {
		t.Errorf("audited: %+v, %v", records, err)
	}
}

func TestWithoutMailAnAdministratorIsToBeAsked(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	d.browse(t, http.MethodGet, "/password/forgotten", "", nil, nil).says(t, 200, "is not set up here")
	d.form(t, "/password/forgotten", "", "who", "bob").says(t, 200, "is not set up here")
}

func TestPasswordIsChangedByWhoKnowsIt(t *testing.T) {
	t.Parallel()
	d, _ := openMailingDoor(t)
	here, elsewhere := d.session(t, d.bob), d.session(t, d.bob)
	d.form(t, "/account/password", here, "present", "wrong", "password", "a quite new password").says(t, 422, "present password is wrong")
	d.form(t, "/account/password", here, "present", d.bob.password, "password", "short").says(t, 422, "10 to 256")
	changed := d.form(t, "/account/password", here, "present", d.bob.password, "password", "a quite new password")
	changed.says(t, 200, "The password is changed")
	fresh, _, _ := strings.Cut(changed.header.Get("Set-Cookie"), ";")
	for cookie, want := range map[string]int{fresh: 200, here: 303, elsewhere: 303} {
		if got := d.browse(t, http.MethodGet, "/account", cookie, nil, nil).status; got != want {
			t.Errorf("a session gives %d, want %d", got, want)
		}
	}
	d.form(t, "/account/email", fresh, "email", "bob@elsewhere.example", "present", "wrong").says(t, 422, "present password is wrong")
	d.form(t, "/account/email", fresh, "email", "no address", "present", "a quite new password").says(t, 422, "no e-mail address")
	d.form(t, "/account/email", fresh, "email", "bob@elsewhere.example", "present", "a quite new password").says(t, 200, "is saved")
	for range 12 {
		d.form(t, "/account/password", fresh, "present", "wrong", "password", "a quite new password")
	}
	d.form(t, "/account/password", fresh, "present", "a quite new password", "password", "yet another password").says(t, 422, "too many tries")
}

func TestAdministratorMakesAndClosesUsers(t *testing.T) {
	t.Parallel()
	d, caught := openMailingDoor(t)
	ann, bob := d.session(t, d.ann), d.session(t, d.bob)
	made := d.form(t, "/users", ann, "username", "carl", "email", "", "role", "user", "how", "password")
	password := regexp.MustCompile(`id="first-password">(\w+)<`).FindSubmatch(made.body)
	if made.status != 200 || password == nil {
		t.Fatalf("making a user gives %d without a password", made.status)
	}
	carl := person{password: string(password[1])}
	carl.user.Username = "carl"
	d.session(t, carl)
	if page := d.browse(t, http.MethodGet, "/users", ann, nil, nil); strings.Contains(string(page.body), carl.password) {
		t.Error("the password is shown a second time")
	}
	d.form(t, "/users", ann, "username", "CARL", "role", "user").says(t, 409, "of this name")
	d.form(t, "/users", ann, "username", "dora", "role", "king").says(t, 422, "no such role")
	d.form(t, "/users", ann, "username", "dora", "role", "user", "how", "invitation").says(t, 422, "needs an e-mail address")
	d.form(t, "/users", ann, "username", "dora", "email", "dora@site.example", "role", "viewer", "how", "invitation").says(t, 200, "on its way")
	token := tokenIn(t, caught, "dora@site.example", 1)
	d.form(t, "/password/new", "", "token", token, "password", "dora's own password").says(t, 200, "Your password is set")

	at := "/users/" + d.bob.user.ID.String()
	if got := d.form(t, at+"/close", ann).status; got != http.StatusSeeOther {
		t.Fatalf("closing gives %d", got)
	}
	if got := d.browse(t, http.MethodGet, "/", bob, nil, nil).status; got != http.StatusSeeOther {
		t.Errorf("a closed account's session gives %d", got)
	}
	if got := d.ask(t, d.bob, http.MethodGet, "/v1/limits", nil, nil).status; got != http.StatusForbidden {
		t.Errorf("a closed account's key gives %d", got)
	}
	d.form(t, at+"/open", ann)
	if got := d.ask(t, d.bob, http.MethodGet, "/v1/limits", nil, nil).status; got != http.StatusOK {
		t.Errorf("the key of an account opened again gives %d", got)
	}
	d.form(t, "/users/"+d.ann.user.ID.String()+"/close", ann).says(t, 409, "Nobody changes their own account")
	for _, how := range []string{"show", "invitation"} { // who sits down at her session does not take her account
		d.form(t, "/users/"+d.ann.user.ID.String()+"/password", ann, "how", how).says(t, 409, "Nobody changes their own account")
	}
	d.browse(t, http.MethodGet, "/users?q=bob", ann, nil, nil).says(t, 200, "bob@site.example")
	actions := map[string]bool{}
	records, err := d.store.ListAudit(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		actions[r.Actor+" "+r.Action] = true
	}
	for _, want := range []string{"ann user.create", "ann user.close", "ann user.open", "dora user.password_recovered"} {
		if !actions[want] {
			t.Errorf("not audited: %s", want)
		}
	}
}

func TestAdministratorDeletesAUserInABrowser(t *testing.T) {
	t.Parallel()
	d, _ := openMailingDoor(t)
	photo := d.finishedPhoto(t, d.bob)
	tab := browser.Open(t)
	logIn(tab, d, d.ann)
	tab.Click(`nav a[href="/users"]`)
	tab.See("table.users")
	tab.Click(`a[href="/users/` + d.bob.user.ID.String() + `"]`)
	tab.Await(`document.querySelector('.danger-zone button').disabled`)
	tab.Type("#typed", "bob")
	tab.Await(`!document.querySelector('.danger-zone button').disabled`)
	tab.Click(".danger-zone button")
	eventually(t, "the account is gone", func() bool {
		_, err := d.store.FindUser(t.Context(), d.bob.user.ID)
		return err != nil
	})
	if left := d.objectsOf(t, photo.Day(), photo.ID); len(left) > 0 {
		t.Errorf("objects left: %v", left)
	}
	tab.Problems() // the page of an account that has just gone is a 404
}

func TestHistoryInABrowser(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	for _, name := range []string{"gate-1.jpg", "gate-2.jpg", "lobby.jpg"} {
		body, kind := multipartBody(t, part{field: "file", filename: name, data: landscape(t)})
		a := d.ask(t, d.ann, http.MethodPost, "/v1/detections", body, map[string]string{"Content-Type": kind})
		d.work(t, detectionOf(t, a, http.StatusAccepted).ID)
	}
	tab := browser.Open(t)
	logIn(tab, d, d.ann)
	tab.Go(d.url + "/photos")
	tab.Await(`document.querySelector('[data-tab=some_masked] .count').textContent === '3' && document.querySelector('[data-picked]').hidden`)

	body, kind := multipartBody(t, part{field: "file", filename: "late.jpg", data: landscape(t)})
	d.ask(t, d.ann, http.MethodPost, "/v1/detections", body, map[string]string{"Content-Type": kind})
	if said := tab.See("#news a"); said != "Show 1 new photo" { // nothing has moved
		t.Errorf("a new photo is announced by %q", said)
	}
	tab.Click("#news a")
	tab.Await(`document.querySelectorAll('tbody tr').length === 4 && Boolean(document.querySelector('tr[data-open]'))`)
	d.work(t, d.photosOf(t, d.ann)[0].ID)
	tab.Await(`!document.querySelector('tr[data-open]')`) // without reloading

	tab.Type("#q", "GATE")
	tab.Click(".search button")
	tab.Await(`document.querySelectorAll('tbody tr').length === 2`)
	tab.Click("tbody tr:first-child a.row")
	tab.Await(`document.querySelector('[data-older]') && !document.querySelector('[data-newer]') && location.search.includes('q=GATE')`)
	tab.Click(".crumb a")
	tab.Click("[data-pick-page]")
	tab.Await(`document.querySelector('[data-picked-words]').textContent === '2 photos chosen'`)
	tab.Click(".picked .danger")
	tab.Await(`document.querySelector('#delete-photos h2').textContent === 'Delete 2 photos?'`)
	tab.Click("#delete-photos .danger")
	tab.See(".notice.good")
	if left := len(d.photosOf(t, d.ann)); left != 2 {
		t.Errorf("%d photos are left, want 2", left)
	}
	wellBehaved(t, tab)
}

func TestDeletionAsksAndTakesOnesOwnOnly(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	mine, others := d.finishedPhoto(t, d.ann), d.finishedPhoto(t, d.bob)
	second := d.finishedPhoto(t, d.ann)
	ann := d.session(t, d.ann)
	both := []string{"id", mine.ID.String(), "id", others.ID.String()}
	d.form(t, "/photos/delete", ann, both...).says(t, 200, "Delete 1 photo?")
	if n := len(d.photosOf(t, d.ann)); n != 2 {
		t.Fatalf("asking left %d photos", n)
	}
	a := d.form(t, "/photos/delete", ann, append(both, "confirmed", "yes")...)
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/photos?deleted=1" {
		t.Errorf("deleting gives %d to %q", a.status, a.header.Get("Location"))
	}
	late := d.finishedPhoto(t, d.ann) // came after the page was read
	d.form(t, "/photos/delete", ann, "all", "yes", "newest", second.ID.String(), "category", "some_masked").says(t, 200, "Delete 1 photo?")
	d.form(t, "/photos/delete", ann, "all", "yes", "newest", second.ID.String(), "category", "some_masked", "confirmed", "yes")
	if left := d.photosOf(t, d.ann); len(left) != 1 || left[0].ID != late.ID {
		t.Errorf("left: %d photos", len(left))
	}
	if n := len(d.photosOf(t, d.bob)); n != 1 {
		t.Errorf("bob has %d photos left", n)
	}
	eventually(t, "the objects are gone", func() bool { return len(d.objectsOf(t, mine.Day(), mine.ID)) == 0 })
}

func TestDaysAreThoseOfThePerson(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	photo := d.finishedPhoto(t, d.ann)
	ann := d.session(t, d.ann)
	for _, zone := range []string{"Pacific/Kiritimati", "Pacific/Pago_Pago", "nonsense", "../../etc/passwd"} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			location = time.UTC
		}
		today := photo.CreatedAt.In(location)
		cookie := ann + "; timezone=" + url.QueryEscape(zone)
		for day, want := range map[string]bool{today.Format(time.DateOnly): true, today.AddDate(0, 0, -1).Format(time.DateOnly): false, today.AddDate(0, 0, 1).Format(time.DateOnly): false} {
			page := d.browse(t, http.MethodGet, "/photos?from="+day+"&to="+day, cookie, nil, nil)
			if got := strings.Contains(string(page.body), photo.ID.String()); got != want {
				t.Errorf("in %s, on %s it is there: %v", zone, day, got)
			}
		}
	}
	if got := d.browse(t, http.MethodGet, "/photos?from=yesterday", ann, nil, nil).status; got != http.StatusBadRequest {
		t.Errorf("a day that is none gives %d", got)
	}
}
