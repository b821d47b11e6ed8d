package outside

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The vector that the Standard Webhooks libraries test themselves with.
const vectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func vector() Hook {
	const body = `{"test": 2432232314}`
	return Hook{
		At: time.Unix(1614265330, 0), ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Timestamp: "1614265330",
		Signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", raw: []byte(body),
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	const other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	cases := map[string]struct {
		change   func(*Hook)
		secrets  []string
		verified bool
	}{
		"as it came":         {func(*Hook) {}, []string{vectorSecret}, true},
		"during rotation":    {func(k *Hook) { k.Signature = "v1,AAAA " + k.Signature }, []string{other, vectorSecret}, true},
		"another secret":     {func(*Hook) {}, []string{other}, false},
		"no secret":          {func(*Hook) {}, nil, false},
		"another body":       {func(k *Hook) { k.raw = []byte(`{}`) }, []string{vectorSecret}, false},
		"another id":         {func(k *Hook) { k.ID = "msg_x" }, []string{vectorSecret}, false},
		"recorded long ago":  {func(k *Hook) { k.At = k.At.Add(6 * time.Minute) }, []string{vectorSecret}, false},
		"without signature":  {func(k *Hook) { k.Signature = "" }, []string{vectorSecret}, false},
		"without a time":     {func(k *Hook) { k.Timestamp = "" }, []string{vectorSecret}, false},
		"of another version": {func(k *Hook) { k.Signature = strings.Replace(k.Signature, "v1,", "v2,", 1) }, []string{vectorSecret}, false},
	}
	for name, c := range cases {
		k := vector()
		c.change(&k)
		if verdict, verified := k.judge(c.secrets); verified != c.verified || verdict == "" {
			t.Errorf("%s: %q, %t", name, verdict, verified)
		}
	}
}

func TestHooksAreCaughtAndShown(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	new(Hooks).mount(mux)
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(path, kind, body string, header map[string]string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		for name, value := range header {
			r.Header.Set(name, value)
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	get := func(path string) string {
		t.Helper()
		response, err := client.Get(site.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	old := vector()
	header := map[string]string{"webhook-id": old.ID, "webhook-timestamp": old.Timestamp, "webhook-signature": old.Signature}
	for path, want := range map[string]int{"/hooks": 204, "/hooks/500": 500, "/hooks/410": 410, "/hooks/307": 307, "/hooks/99": 404, "/hooks/x": 404} {
		if got := post(path, "application/json", `{"a":1}`, header); got != want {
			t.Errorf("%s answers %d", path, got)
		}
	}
	post("/hooks", "text/plain", "<b>no JSON", nil)
	var seen []SeenHook
	if err := json.Unmarshal([]byte(get("/webhooks.json")), &seen); err != nil || len(seen) != 5 {
		t.Fatalf("%d were caught, %v", len(seen), err)
	}
	if seen[0].Verified || seen[0].Verdict != "not signed" || string(seen[0].Body) != `"\u003cb\u003eno JSON"` {
		t.Errorf("the last is %+v", seen[0])
	}
	if seen[1].Times != 4 || seen[1].Verified {
		t.Errorf("the one before is %+v", seen[1])
	}
	form := "application/x-www-form-urlencoded"
	if got := post("/webhooks/secret", form, url.Values{"secret": {"mine"}}.Encode(), nil); got != http.StatusUnprocessableEntity {
		t.Errorf("no secret at all: %d", got)
	}
	if got := post("/webhooks/secret", form, url.Values{"secret": {" " + vectorSecret + " "}}.Encode(), nil); got != http.StatusSeeOther {
		t.Errorf("a secret: %d", got)
	}
	page := get("/webhooks")
	for _, want := range []string{"whsec_MfKQ9r…", "timestamp too far from now", "seen 4 times", "not signed"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "<b>no JSON") || strings.Contains(page, vectorSecret) {
		t.Errorf("the page shows what it must not:\n%s", page)
	}
}
