package outside

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxHooks     = 200 // the oldest are forgotten first
	maxHookBytes = 256 << 10
	maxSecrets   = 20
	hookClocks   = 5 * time.Minute // that the clocks of sender and receiver may differ
)

// Hook is a webhook that was caught.
type Hook struct {
	At        time.Time       `json:"at"`
	Path      string          `json:"path"`
	ID        string          `json:"id"`
	Timestamp string          `json:"timestamp"`
	Signature string          `json:"signature"`
	Body      json.RawMessage `json:"body"` // a text where it is not JSON
	Status    int             `json:"status"`
	Times     int             `json:"times"` // how often this id has come so far, with this one

	raw []byte
}

// Hooks catches webhooks for anybody and shows them, and whether their signatures are
// right. It verifies them by itself, as a receiver elsewhere would: with nothing of the
// product but the secret. It is safe for concurrent use.
type Hooks struct {
	mu      sync.Mutex // guards the rest
	hooks   []Hook     // in the order of their coming
	secrets []string
}

// mount adds POST /hooks, which answers 204, and POST /hooks/{status}, which answers
// that; the page GET /webhooks; and, for scripts, GET /webhooks.json.
func (h *Hooks) mount(mux *http.ServeMux) {
	mux.HandleFunc("POST /hooks", h.take)
	mux.HandleFunc("POST /hooks/{status}", h.take)
	mux.HandleFunc("GET /webhooks.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(h.seen()) // an error here is a client that left
	})
	mux.HandleFunc("GET /webhooks", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = hooksPage().Execute(w, h.page("")) // see above
	})
	mux.HandleFunc("POST /webhooks/secret", func(w http.ResponseWriter, r *http.Request) {
		if err := h.learn(strings.TrimSpace(r.FormValue("secret"))); err != nil {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusUnprocessableEntity)
			_ = hooksPage().Execute(w, h.page(err.Error())) // see above
			return
		}
		http.Redirect(w, r, "/webhooks", http.StatusSeeOther)
	})
}

func (h *Hooks) take(w http.ResponseWriter, r *http.Request) {
	status, err := strconv.Atoi(cmp.Or(r.PathValue("status"), "204"))
	if err != nil || status < 200 || status > 599 {
		http.NotFound(w, r)
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHookBytes))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	hook := Hook{
		At: time.Now().UTC(), Path: r.URL.Path, Status: status, Body: raw, raw: raw,
		ID: r.Header.Get("webhook-id"), Timestamp: r.Header.Get("webhook-timestamp"), Signature: r.Header.Get("webhook-signature"),
	}
	if !json.Valid(raw) {
		hook.Body, _ = json.Marshal(string(raw)) // a string always can be
	}
	h.put(hook)
	if status/100 == 3 {
		w.Header().Set("Location", "/hooks")
	}
	w.WriteHeader(status)
}

func (h *Hooks) put(hook Hook) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hook.Times = 1
	for _, other := range h.hooks {
		if other.ID == hook.ID {
			hook.Times++
		}
	}
	h.hooks = append(h.hooks, hook)
	h.hooks = h.hooks[max(0, len(h.hooks)-maxHooks):]
}

// learn remembers a secret with which messages may be signed.
func (h *Hooks) learn(secret string) error {
	if _, err := secretKey(secret); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.secrets = slices.DeleteFunc(h.secrets, func(s string) bool { return s == secret })
	h.secrets = append(h.secrets, secret)
	h.secrets = h.secrets[max(0, len(h.secrets)-maxSecrets):]
	return nil
}

var errSecret = errors.New("this is no secret: it begins with whsec_")

func secretKey(secret string) ([]byte, error) {
	text, marked := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !marked || err != nil || len(key) == 0 {
		return nil, errSecret
	}
	return key, nil
}

// SeenHook is a hook and what is to be said of its signature.
type SeenHook struct {
	Hook
	Verified bool   `json:"verified"`
	Verdict  string `json:"verdict"`
}

// seen gives the hooks, the newest first.
func (h *Hooks) seen() []SeenHook {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := []SeenHook{}
	for _, hook := range slices.Backward(h.hooks) {
		verdict, verified := hook.judge(h.secrets)
		all = append(all, SeenHook{hook, verified, verdict})
	}
	return all
}

// judge says whether the hook was signed with one of the secrets just before it came.
func (k Hook) judge(secrets []string) (verdict string, verified bool) {
	seconds, err := strconv.ParseInt(k.Timestamp, 10, 64)
	switch {
	case k.ID == "" || err != nil || k.Signature == "":
		return "not signed", false
	case k.At.Sub(time.Unix(seconds, 0)).Abs() > hookClocks:
		return "timestamp too far from now", false
	case len(secrets) == 0:
		return "give a secret to verify it", false
	}
	for _, secret := range secrets {
		key, err := secretKey(secret)
		if err != nil {
			continue
		}
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(k.ID + "." + k.Timestamp + ".")) // never fails
		_, _ = mac.Write(k.raw)
		wanted := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for signature := range strings.FieldsSeq(k.Signature) {
			if hmac.Equal([]byte(signature), []byte(wanted)) {
				return "signature is right", true
			}
		}
	}
	return "signature fits no secret given here", false
}

// hooksView fills the page.
type hooksView struct {
	Hooks   []SeenHook
	Secrets []string // shortened
	Wrong   string
}

func (h *Hooks) page(wrong string) hooksView {
	view := hooksView{Hooks: h.seen(), Wrong: wrong}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, secret := range h.secrets {
		view.Secrets = append(view.Secrets, secret[:min(len(secret), 12)]+"…")
	}
	return view
}

func hooksPage() *template.Template {
	return template.Must(template.New("hooks").Funcs(template.FuncMap{"text": func(m json.RawMessage) string { return string(m) }}).Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Caught webhooks</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
  body { max-width: 860px; margin: 0 auto; padding: 24px; }
  h1 { font-size: 22px; } h2 { font-size: 15px; margin: 0; display: flex; flex-wrap: wrap; gap: 4px 12px; }
  article { border: 1px solid light-dark(#dfe3e8, #2a313b); border-radius: 8px; padding: 16px; margin: 16px 0; }
  p { margin: 0; color: light-dark(#56606d, #9ca6b3); font-size: 13px; overflow-wrap: anywhere; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 12px 0 0; font-size: 13px; }
  form { display: flex; flex-wrap: wrap; gap: 8px; margin: 16px 0 8px; }
  input { flex: 1 1 320px; font: inherit; padding: 4px 8px; } button { font: inherit; padding: 4px 12px; }
  .good { color: light-dark(#126b3a, #5cc98b); } .bad { color: light-dark(#a3211b, #ff8a80); }
</style>
<h1>Caught webhooks</h1>
<p>Webhooks sent to <code>/hooks</code> at this address end here and are answered 204. Those sent to <code>/hooks/500</code>, or any other status, are answered that. The newest stands first; a restart forgets all.</p>
<form method="post" action="/webhooks/secret">
  <input name="secret" placeholder="whsec_… as shown when the webhook was made" aria-label="Secret" autocomplete="off" required>
  <button>Verify with this secret</button>
</form>
{{with .Wrong}}<p class="bad">{{.}}</p>{{end}}
{{with .Secrets}}<p>Verified with {{range $i, $s := .}}{{if $i}}, {{end}}<code>{{$s}}</code>{{end}}</p>{{end}}
{{- range .Hooks}}
<article>
  <h2><span>{{.Path}}</span> <span class="{{if .Verified}}good{{else}}bad{{end}}">{{if .Verified}}✓{{else}}✗{{end}} {{.Verdict}}</span></h2>
  <p>{{.At.Format "2006-01-02 15:04:05"}} UTC, answered {{.Status}}; webhook-id {{with .ID}}{{.}}{{else}}missing{{end}}{{if gt .Times 1}}, seen {{.Times}} times{{end}}</p>
  <pre>{{text .Body}}</pre>
</article>
{{- else}}
<article>No webhook yet. Make one on the account page of Maskfleet, for this address and /hooks, and send a test.</article>
{{- end}}
</html>
`))
}
