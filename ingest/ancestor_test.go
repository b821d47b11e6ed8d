package ingest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/testenv"
)

func TestAncestorRegister(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	form := func(values string) (io.Reader, map[string]string) {
		return strings.NewReader(values), map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	}
	body, header := form("username=carol&password=a+long+enough+word")
	if a := d.ask(t, person{}, http.MethodPost, "/api/register", body, header); a.status != 200 || string(a.body) != `{"success":true}` {
		t.Errorf("got %d %s", a.status, a.body)
	}
	user, err := d.store.FindUserByName(t.Context(), "carol")
	if err != nil || !user.APIRegistered {
		t.Errorf("the account is %+v (%v), want it marked as registered by API", user, err)
	}
	multi, kind := multipartBody(t, part{field: "username", data: []byte("dave")}, part{field: "password", data: []byte("a long enough word")})
	if a := d.ask(t, person{}, http.MethodPost, "/api/register", multi, map[string]string{"Content-Type": kind}); a.status != 200 {
		t.Errorf("multipart: got %d %s", a.status, a.body)
	}
	cases := []struct {
		name, query, values string
		status              int
	}{
		{"taken", "", "username=carol&password=a+long+enough+word", 409},
		{"no password", "", "username=eve", 400},
		{"nothing", "", "", 400},
		{"bad name", "", "username=" + url.QueryEscape("a\x00b") + "&password=a+long+enough+word", 400},
		{"parameter in the URL", "?username=eve", "username=eve&password=a+long+enough+word", 400},
		{"all in the URL", "?username=eve&password=a+long+enough+word", "", 400},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			body, header := form(c.values)
			d.refusesAncestor(t, d.ask(t, person{}, http.MethodPost, "/api/register"+c.query, body, header), c.status)
		})
	}
}

func TestAncestorRegisterIsOffByDefault(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) { c.RegisterEnabled = false })
	a := d.ask(t, person{}, http.MethodPost, "/api/register", strings.NewReader("username=eve&password=a+long+enough+word"),
		map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	d.refusesAncestor(t, a, 403)
}

func (d *door) upload(t *testing.T, query string, parts ...part) answer {
	t.Helper()
	body, kind := multipartBody(t, parts...)
	return d.ask(t, person{}, http.MethodPost, "/api/upload"+query, body, map[string]string{"Content-Type": kind})
}

func TestAncestorUpload(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) { c.Waiting.UploadWait = 3 * time.Second })
	name, password := part{field: "username", data: []byte("ann")}, part{field: "password", data: []byte(d.ann.password)}
	file := part{field: "file", filename: "a.jpg", data: photo(t)}
	wrong := part{field: "password", data: []byte("wrong")}

	d.refusesAncestor(t, d.upload(t, "", name, wrong, file), 401)
	d.refusesAncestor(t, d.upload(t, "", part{field: "username", data: []byte("nobody")}, password, file), 401)
	d.refusesAncestor(t, d.upload(t, "", name, file), 400)
	d.refusesAncestor(t, d.upload(t, "", name, password), 400)
	d.refusesAncestor(t, d.upload(t, "", name, password, file, file), 400)
	d.refusesAncestor(t, d.upload(t, "?username=ann", name, password, file), 400)
	d.refusesAncestor(t, d.upload(t, "?file=a.jpg", name, password, file), 400)
	d.storedNothing(t)

	finished := make(chan struct{})
	go func() {
		defer close(finished)
		d.finishNext(t)
	}()
	a := d.upload(t, "", file, name, password) // in any order
	<-finished
	if want := `{"success":true,"payload":{"num_faces":2,"num_masked":1,"num_unmasked":1}}`; a.status != 200 || string(a.body) != want {
		t.Errorf("got %d %s, want %s", a.status, a.body, want)
	}

	d.refusesAncestor(t, d.upload(t, "", name, password, file), 504)
	if n := d.photosStored(t); n != 2 {
		t.Errorf("%d photos are stored, want the one that was not waited for kept", n)
	}
}

func TestAncestorLimitsGuesses(t *testing.T) {
	t.Parallel()
	redis := testenv.NewRedis(t)
	st := sharedStores(t)
	st.redis = redis.Config()
	d := openDoor(t, st, nil)
	try := func(username, password, address string) answer {
		body, kind := multipartBody(t, part{field: "username", data: []byte(username)},
			part{field: "password", data: []byte(password)}, part{field: "file", filename: "a.jpg", data: []byte("only words")})
		return d.ask(t, person{}, http.MethodPost, "/api/upload", body, map[string]string{"Content-Type": kind, "X-Forwarded-For": address})
	}
	const known = http.StatusUnsupportedMediaType // the file is no photo; its sender is known
	for range 200 {
		d.refusesAncestor(t, try("ann", d.ann.password, "192.0.2.1"), known)
	}
	for _, username := range []string{"ann", "nobody"} { // no difference between them
		for range 10 {
			d.refusesAncestor(t, try(username, "wrong", "192.0.2.1"), http.StatusUnauthorized)
		}
		a := try(username, d.ann.password, "192.0.2.1")
		d.refusesAncestor(t, a, http.StatusTooManyRequests)
		if a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	d.refusesAncestor(t, try("ann", d.ann.password, "192.0.2.2"), known)
	login := url.Values{"username": {"ann"}, "password": {d.ann.password}}
	page := d.browse(t, http.MethodPost, "/login", "", login, map[string]string{"X-Forwarded-For": "192.0.2.1"})
	if page.status != http.StatusTooManyRequests {
		t.Errorf("the log-in page lets guesses go on with %d", page.status)
	}

	redis.Kill()
	d.refusesAncestor(t, try("ann", "wrong", "192.0.2.1"), http.StatusUnauthorized)
	d.refusesAncestor(t, try("ann", d.ann.password, "192.0.2.1"), known)
}

func TestAncestorHoldsFewPhotosOfUnknownSenders(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	d.verifier.waiting.take(d.verifier.waiting.limit) // others that wait for their hash
	name, password := part{field: "username", data: []byte("ann")}, part{field: "password", data: []byte(d.ann.password)}
	a := d.upload(t, "", name, password, part{field: "file", filename: "a.jpg", data: photo(t)})
	d.refusesAncestor(t, a, http.StatusServiceUnavailable)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	d.storedNothing(t)
}
