package ingest

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// webhookForm is what the form of a webhook sends.
func webhookForm(address string, events ...string) url.Values {
	return url.Values{"url": {address}, "name": {"gate <control>"}, "event": events, "unmasked_above": {"2"}}
}

// one finds the only text on a page that fits the pattern.
func one(t *testing.T, page answer, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(html.UnescapeString(string(page.body)))
	if len(found) < 2 {
		t.Fatalf("no %s in %d\n%s", pattern, page.status, page.body)
	}
	return found[1]
}

// TestWebhooksByPage walks through the life of a webhook as a person without script
// does.
func TestWebhooksByPage(t *testing.T) {
	t.Parallel()
	site := newReceiver(t, nil)
	d := openDoor(t, storesOfPages(t), func(c *Config) {
		c.PublicURL = "https://photos.example"
		c.Webhooks.Post.Allow = []string{site.Listener.Addr().String()}
	})
	ann := d.session(t, d.ann)
	do := func(method, path string, form url.Values) answer {
		t.Helper()
		a := d.browse(t, method, path, ann, form, nil)
		if a.status == http.StatusSeeOther {
			to, _, _ := strings.Cut(a.header.Get("Location"), "#")
			a = d.browse(t, http.MethodGet, to, ann, nil, nil)
		}
		return a
	}
	wants := func(a answer, status int, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if a.status != status || !strings.Contains(html.UnescapeString(string(a.body)), part) {
				t.Fatalf("got %d, want %d with %q:\n%s", a.status, status, part, a.body)
			}
		}
	}
	wants(do(http.MethodGet, "/account", nil), http.StatusOK, `href="/account/webhooks"`)
	wants(do(http.MethodGet, "/account/webhooks", nil), http.StatusOK, "No webhooks yet")
	wants(do(http.MethodPost, "/account/webhooks", webhookForm("ftp://x.example/", "batch.completed")), http.StatusUnprocessableEntity,
		"The address cannot be used: it does not begin with http:// or https://.", `value="ftp://x.example/"`)
	wants(do(http.MethodPost, "/account/webhooks", webhookForm(site.URL)), http.StatusUnprocessableEntity, "Choose at least one event.")

	made := do(http.MethodPost, "/account/webhooks", webhookForm(site.URL, "alert.unmasked"))
	secret, page := one(t, made, `(whsec_[A-Za-z0-9+/=]+)`), one(t, made, `href="(/account/webhooks/[0-9a-f-]{36})"`)
	wants(made, http.StatusOK, "gate <control>")
	if strings.Contains(string(made.body), "<control>") {
		t.Error("a name is shown as markup")
	}
	shown := do(http.MethodGet, page, nil)
	wants(shown, http.StatusOK, "Nothing delivered yet", site.URL, `value="2"`)
	if strings.Contains(string(shown.body), "whsec_") {
		t.Error("the secret is shown again")
	}

	// A test that fails is seen at once, with what the endpoint said.
	site.setAnswer(status(http.StatusTeapot))
	failed := do(http.MethodPost, page+"/test", nil)
	wants(failed, http.StatusOK, "Failed", "Status 418", "as told", "webhook.test")
	site.setAnswer(nil)
	again := one(t, failed, `action="(/account/webhooks/[0-9a-f-]+/deliveries/[0-9a-f-]+/redeliver)"`)
	wants(do(http.MethodPost, again, nil), http.StatusOK, "Delivered", "Taken, status 204")
	site.mustVerify(t, secret)
	wants(do(http.MethodGet, page+"?show=failed", nil), http.StatusOK, "No delivery is in this state.")

	rotated := do(http.MethodPost, page+"/rotate", nil)
	wants(rotated, http.StatusOK, "signs too until")
	if young := one(t, rotated, `(whsec_[A-Za-z0-9+/=]+)`); young == secret {
		t.Error("the secret stayed as it was")
	}
	wants(do(http.MethodPost, page, webhookForm(site.URL+"/other", "batch.failed", "batch.completed")), http.StatusOK, "The settings are saved.", site.URL+"/other")
	wants(do(http.MethodPost, page, webhookForm("https://", "batch.failed")), http.StatusUnprocessableEntity, "it names no server")
	wants(do(http.MethodPost, page+"/disable", nil), http.StatusOK, "Disabled", "Nothing is sent")
	if a := d.browse(t, http.MethodPost, page+"/test", ann, nil, nil); a.status != http.StatusConflict {
		t.Errorf("a test of a disabled webhook gives %d", a.status)
	}
	wants(do(http.MethodPost, page+"/enable", nil), http.StatusOK, "Enabled", "Send a test")

	bob := d.session(t, d.bob)
	for _, address := range []string{page, page + "/test", page + "/rotate", page + "/delete", page + "/disable", again} {
		method := http.MethodPost
		if address == page {
			method = http.MethodGet
		}
		if a := d.browse(t, method, address, bob, nil, nil); a.status != http.StatusNotFound {
			t.Errorf("bob gets %d for ann's %s", a.status, address)
		}
	}
	wants(do(http.MethodPost, page+"/delete", nil), http.StatusOK, "No webhooks yet")
	wants(do(http.MethodGet, page, nil), http.StatusNotFound, "There is no such webhook.")
}
