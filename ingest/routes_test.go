package ingest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"maskfleet/pkg/account"
	"maskfleet/pkg/job"
)

// access says who may use a route.
type access string

const (
	anyone     access = "open"    // anybody; it shows nothing that is anybody's
	anyKnown   access = "known"   // who is known, for what is theirs without an id in the address
	onlyOwner  access = "owner"   // the owner of what the address names: others get 404
	onlyAdmin  access = "admin"   // administrators
	byPassword access = "ancient" // who sends name and password in the body
)

// accesses is every route of the door. A route that is not in it, or that lets in
// whom it should not, fails the test: whoever adds one decides here who may use it.
func accesses() map[string]access {
	return map[string]access{
		"GET /healthz": anyone, "GET /readyz": anyone, "GET /static/:name": anyone,
		"GET /login": anyone, "POST /login": anyone, "POST /logout": anyone,
		"GET /password/forgotten": anyone, "POST /password/forgotten": anyone,
		"GET /password/new": anyone, "POST /password/new": anyone,
		"POST /api/register": byPassword, "POST /api/upload": byPassword,

		"GET /": anyKnown, "POST /photos": anyKnown, "POST /links": anyKnown,
		"GET /photos": anyKnown, "GET /photos/events": anyKnown, "GET /photos/live": anyKnown, "POST /photos/delete": anyKnown,
		"GET /photos/:id": onlyOwner, "GET /photos/:id/status": onlyOwner, "GET /photos/:id/image/:variant": onlyOwner, "POST /photos/:id/retry": onlyOwner,
		"GET /account": anyKnown, "POST /account/password": anyKnown, "POST /account/email": anyKnown,
		"POST /account/keys": anyKnown, "POST /account/keys/:id/revoke": anyKnown,
		"GET /account/webhooks": anyKnown, "POST /account/webhooks": anyKnown, "GET /account/webhooks/:id": onlyOwner, "POST /account/webhooks/:id": onlyOwner,
		"POST /account/webhooks/:id/enable": onlyOwner, "POST /account/webhooks/:id/disable": onlyOwner, "POST /account/webhooks/:id/rotate": onlyOwner,
		"POST /account/webhooks/:id/test": onlyOwner, "POST /account/webhooks/:id/delete": onlyOwner, "POST /account/webhooks/:id/deliveries/:delivery/redeliver": onlyOwner,

		"GET /users": onlyAdmin, "POST /users": onlyAdmin, "GET /users/:id": onlyAdmin, "POST /users/:id/role": onlyAdmin,
		"POST /users/:id/close": onlyAdmin, "POST /users/:id/open": onlyAdmin, "POST /users/:id/delete": onlyAdmin, "POST /users/:id/password": onlyAdmin, "POST /users/:id/s3": onlyAdmin,

		"POST /v1/detections": anyKnown, "GET /v1/detections": anyKnown, "GET /v1/limits": anyKnown,
		"GET /v1/detections/:id": onlyOwner, "GET /v1/detections/:id/image": onlyOwner, "GET /v1/detections/:id/events": onlyOwner, "DELETE /v1/detections/:id": onlyOwner,
		"POST /v1/uploads": anyKnown, "POST /v1/batches": anyKnown, "GET /v1/batches": anyKnown,
		"GET /v1/batches/:id": onlyOwner, "GET /v1/batches/:id/items": onlyOwner, "GET /v1/batches/:id/results": onlyOwner, "GET /v1/batches/:id/events": onlyOwner,
		"POST /v1/batches/:id/cancel": onlyOwner, "POST /v1/batches/:id/retry": onlyOwner, "DELETE /v1/batches/:id": onlyOwner,
		"POST /v1/webhooks": anyKnown, "GET /v1/webhooks": anyKnown, "GET /v1/webhooks/:id": onlyOwner, "PATCH /v1/webhooks/:id": onlyOwner, "DELETE /v1/webhooks/:id": onlyOwner,
		"POST /v1/webhooks/:id/test": onlyOwner, "POST /v1/webhooks/:id/rotate": onlyOwner, "GET /v1/webhooks/:id/deliveries": onlyOwner,
		"GET /v1/webhooks/:id/deliveries/:delivery": onlyOwner, "POST /v1/webhooks/:id/deliveries/:delivery/redeliver": onlyOwner,
		"GET /v1/openapi.json": anyone, "GET /docs": anyone, "GET /docs/api": anyone,
	}
}

// ownings is one of each thing that a route may name, all of them ann's.
type ownings struct{ photo, webhook, delivery, batch string }

func (d *door) ownings(t *testing.T, photo job.Photo) ownings {
	t.Helper()
	made := d.askJSON(t, d.ann, http.MethodPost, "/v1/webhooks", `{"url": "https://192.0.2.1/", "events": ["detection.completed"]}`)
	w := webhookIn(t, made, http.StatusCreated)
	sent := deliveryIn(t, d.ask(t, d.ann, http.MethodPost, w.Links.Self+"/test", nil, nil), http.StatusAccepted)
	b := batchFrom(t, d.submitBatch(t, d.ann, ndjson, itemLines(1)), http.StatusAccepted)
	return ownings{photo: photo.ID.String(), webhook: w.ID.String(), delivery: sent.ID.String(), batch: b.ID.String()}
}

// path is the route's with the ids of what it is about.
func (o ownings) path(d *door, route string) string {
	id := o.photo
	switch {
	case strings.Contains(route, "/webhooks/"):
		id = o.webhook
	case strings.Contains(route, "/batches/"):
		id = o.batch
	case strings.HasPrefix(route, "/users/"):
		id = d.ann.user.ID.String()
	}
	return strings.NewReplacer(":id", id, ":variant", "original", ":delivery", o.delivery).Replace(route)
}

func TestEveryRouteKeepsPeopleApart(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	photo := d.finishedPhoto(t, d.ann)
	anns := d.ownings(t, photo)
	ann := d.session(t, d.ann)
	bob := d.session(t, d.bob)
	all := accesses()
	for _, route := range d.app.GetRoutes(true) {
		if route.Method == http.MethodHead || route.Path == "*" {
			continue
		}
		name := route.Method + " " + route.Path
		who, listed := all[name]
		if !listed {
			t.Errorf("nobody said who may use %s: add it to accesses", name)
			continue
		}
		path := anns.path(d, route.Path)
		d.tryRoute(t, who, route.Method, path, bob)
		if route.Method != http.MethodGet && who != byPassword {
			d.tryFromElsewhere(t, route.Method, path, bob)
		}
		if who == onlyOwner && route.Method == http.MethodGet {
			d.tryAsOwner(t, path, ann)
		}
	}
	for _, kept := range []string{"/v1/webhooks/" + anns.webhook, "/v1/batches/" + anns.batch} {
		if got := d.ask(t, d.ann, http.MethodGet, kept, nil, nil).status; got != http.StatusOK {
			t.Errorf("something happened to ann's %s: it gives %d", kept, got)
		}
	}
	if left, err := d.store.Find(t.Context(), photo.ID); err != nil || left.Row != photo.Row {
		t.Errorf("something happened to ann's photo: %v, %v", left.Row, err)
	}
}

// tryRoute uses a route as nobody, and as bob by session and by key; what the address
// names is ann's.
func (d *door) tryRoute(t *testing.T, who access, method, path, bob string) {
	t.Helper()
	if who == anyone || who == byPassword {
		return // and a log-out would end bob's session
	}
	nobody := d.browse(t, method, path, "", nil, nil)
	if strings.HasSuffix(path, "/live") {
		bob = "" // for who is known it has no end; which photos it follows is for other tests
	}
	session := d.begin(t, method, path, map[string]string{"Accept": "text/html", "Cookie": bob, "Origin": d.url})
	var allowed, refused []int
	refused = []int{http.StatusSeeOther, http.StatusUnauthorized} // to the log-in
	switch who {
	case onlyOwner:
		allowed = []int{http.StatusNotFound}
	case onlyAdmin:
		allowed = []int{http.StatusForbidden}
	case anyKnown:
		if method != http.MethodGet || strings.HasSuffix(path, "/events") || strings.HasSuffix(path, "/live") {
			allowed = nil // what becomes of an empty form, or a stream, is for other tests
		} else {
			allowed = []int{http.StatusOK}
		}
	}
	if !slices.Contains(refused, nobody.status) || (nobody.status == http.StatusSeeOther && !strings.HasPrefix(nobody.header.Get("Location"), "/login")) {
		t.Errorf("%s %s gives nobody %d", method, path, nobody.status)
	}
	if allowed != nil && !slices.Contains(allowed, session) {
		t.Errorf("%s %s gives bob's session %d, want one of %v", method, path, session, allowed)
	}
	if who == onlyOwner && strings.HasPrefix(path, apiRoot) {
		if key := d.begin(t, method, path, map[string]string{"Authorization": "Bearer " + d.bob.key}); !slices.Contains(allowed, key) {
			t.Errorf("%s %s gives bob's key %d, want one of %v", method, path, key, allowed)
		}
	}
}

// tryAsOwner shows that what others do not find is there.
func (d *door) tryAsOwner(t *testing.T, path, ann string) {
	t.Helper()
	if got := d.begin(t, http.MethodGet, path, map[string]string{"Cookie": ann}); got >= http.StatusBadRequest {
		t.Errorf("GET %s gives its owner %d: that others do not find it says nothing", path, got)
	}
}

// begin gives the status of an answer and leaves: a stream might have no end.
func (d *door) begin(t *testing.T, method, path string, header map[string]string) int {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	request, err := http.NewRequestWithContext(ctx, method, d.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := d.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode
}

// tryFromElsewhere sends what a browser sends that another site tells to.
func (d *door) tryFromElsewhere(t *testing.T, method, path, bob string) {
	t.Helper()
	elsewhere := map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
	if got := d.browse(t, method, path, bob, nil, elsewhere).status; got != http.StatusForbidden {
		t.Errorf("%s %s gives another site %d", method, path, got)
	}
}

func TestSessionsAreNewAtEveryLogIn(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	first := d.session(t, d.ann)
	again := d.browse(t, http.MethodPost, "/login", first, map[string][]string{"username": {"ann"}, "password": {d.ann.password}}, nil)
	second, _, _ := strings.Cut(again.header.Get("Set-Cookie"), ";")
	if second == first || !strings.Contains(second, "=") {
		t.Errorf("the session stayed %q", second)
	}
	if got := d.browse(t, http.MethodGet, "/", first, nil, nil).status; got != http.StatusSeeOther {
		t.Errorf("the session from before gives %d", got)
	}
	chosen := "maskfleet_session=CHOSENBYSOMEBODYELSE"
	planted := d.browse(t, http.MethodPost, "/login", chosen, map[string][]string{"username": {"ann"}, "password": {d.ann.password}}, nil)
	if strings.Contains(planted.header.Get("Set-Cookie"), "CHOSEN") || d.browse(t, http.MethodGet, "/", chosen, nil, nil).status != http.StatusSeeOther {
		t.Error("a session that was planted is good")
	}
	behind := d.browse(t, http.MethodPost, "/login", "", map[string][]string{"username": {"ann"}, "password": {d.ann.password}},
		map[string]string{"X-Forwarded-Proto": "https", "Origin": strings.Replace(d.url, "http:", "https:", 1)})
	for _, must := range []string{"Secure", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(strings.ToLower(behind.header.Get("Set-Cookie")), strings.ToLower(must)) {
			t.Errorf("behind HTTPS the cookie %q lacks %s", behind.header.Get("Set-Cookie"), must)
		}
	}
}

func TestPolicyAllowsNoInlineScript(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	ann := d.session(t, d.ann)
	if err := d.store.SetUserRole(t.Context(), d.ann.user.ID, account.RoleAdministrator); err != nil {
		t.Fatal(err)
	}
	anns := d.ownings(t, d.finishedPhoto(t, d.ann))
	paths := []string{"/photos/" + anns.photo, "/account/webhooks", "/account/webhooks/" + anns.webhook, "/docs", "/docs/api"}
	for _, path := range append(paths, "/", "/photos", "/account", "/users", "/users/"+d.bob.user.ID.String(), "/login", "/password/forgotten", "/password/new?token=x", "/nothing") {
		a := d.browse(t, http.MethodGet, path, ann, nil, nil)
		policy := a.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'self'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s has the policy %q", path, policy)
		}
		if strings.Contains(string(a.body), "<script>") || strings.Contains(string(a.body), " onclick=") || strings.Contains(string(a.body), " style=") {
			t.Errorf("%s has something inline", path)
		}
	}
}
