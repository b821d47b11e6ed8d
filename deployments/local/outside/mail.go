package outside

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	maxLetters     = 200 // the oldest are forgotten first
	maxLetterBytes = 1 << 20
)

// Letter is a mail that was caught.
type Letter struct {
	At      time.Time `json:"at"`
	From    string    `json:"from"`
	To      []string  `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
}

// Mailbox catches mail for anybody and shows it, so that nothing that the product
// sends leaves the machine. It is safe for concurrent use.
type Mailbox struct {
	mu      sync.Mutex // guards letters
	letters []Letter   // in the order of their coming
}

// Serve takes mail on the listener until ctx ends, without asking who sends it.
func (b *Mailbox) Serve(ctx context.Context, listener net.Listener) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{to: b}, nil }))
	server.Domain = "outside.local"
	server.ReadTimeout, server.WriteTimeout = 30*time.Second, 30*time.Second
	server.MaxMessageBytes, server.MaxRecipients = maxLetterBytes, 50
	server.ErrorLog = log.New(io.Discard, "", 0) // of clients that left
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { stopped <- server.Close() })
	err := server.Serve(listener)
	if stop() {
		return fmt.Errorf("catching mail: %w", err)
	}
	return <-stopped
}

func (b *Mailbox) put(l Letter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters = append(b.letters, l)
	b.letters = b.letters[max(0, len(b.letters)-maxLetters):]
}

// To gives the letters to an address, or with "" all, the newest first.
func (b *Mailbox) To(to string) []Letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := []Letter{}
	for _, l := range slices.Backward(b.letters) {
		if to == "" || slices.Contains(l.To, to) {
			found = append(found, l)
		}
	}
	return found
}

// mount adds the page GET /mail and, for scripts, GET /mail.json; both take ?to=.
func (b *Mailbox) mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /mail", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = mailPage().Execute(w, b.To(r.FormValue("to"))) // an error here is a client that left
	})
	mux.HandleFunc("GET /mail.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(b.To(r.FormValue("to")))
	})
}

// delivery is one conversation.
type delivery struct {
	to         *Mailbox
	from       string
	recipients []string
}

func (d *delivery) Reset()        { d.from, d.recipients = "", nil }
func (d *delivery) Logout() error { return nil }

func (d *delivery) Mail(from string, _ *smtp.MailOptions) error {
	d.from = from
	return nil
}

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.recipients = append(d.recipients, to)
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	letter := Letter{At: time.Now().UTC(), From: d.from, To: d.recipients, Text: string(data)}
	if message, err := mail.ReadMessage(bytes.NewReader(data)); err == nil {
		letter.Subject, letter.Text = read(message)
	}
	d.to.put(letter)
	return nil
}

// read gives a message of plain text as a person reads it.
func read(message *mail.Message) (subject, text string) {
	subject = message.Header.Get("Subject")
	if decoded, err := new(mime.WordDecoder).DecodeHeader(subject); err == nil {
		subject = decoded
	}
	body := message.Body
	if strings.EqualFold(message.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return subject, err.Error()
	}
	return subject, strings.ReplaceAll(string(data), "\r\n", "\n")
}

// linked is a text whose links can be followed.
func linked(text string) template.HTML {
	link := regexp.MustCompile(`https?://[^\s<>"]+`)
	var out strings.Builder
	at := 0
	for _, found := range link.FindAllStringIndex(text, -1) {
		url := template.HTMLEscapeString(text[found[0]:found[1]])
		out.WriteString(template.HTMLEscapeString(text[at:found[0]]) + `<a href="` + url + `">` + url + `</a>`)
		at = found[1]
	}
	return template.HTML(out.String() + template.HTMLEscapeString(text[at:])) //nolint:gosec // escaped above, piece by piece
}

func mailPage() *template.Template {
	return template.Must(template.New("mail").Funcs(template.FuncMap{"linked": linked}).Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Caught mail</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
  body { max-width: 720px; margin: 0 auto; padding: 24px; }
  h1 { font-size: 22px; } h2 { font-size: 15px; margin: 0; }
  article { border: 1px solid light-dark(#dfe3e8, #2a313b); border-radius: 8px; padding: 16px; margin: 16px 0; }
  p { margin: 0; color: light-dark(#56606d, #9ca6b3); font-size: 13px; }
  pre { font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; margin: 12px 0 0; }
</style>
<h1>Caught mail</h1>
<p>What this stack sends by e-mail ends here and never leaves the machine. The newest stands first; a restart forgets all.</p>
{{- range .}}
<article><h2>{{.Subject}}</h2><p>To {{range $i, $to := .To}}{{if $i}}, {{end}}{{$to}}{{end}}, from {{.From}}, {{.At.Format "2006-01-02 15:04:05"}} UTC</p><pre>{{linked .Text}}</pre></article>
{{- else}}
<article>No mail yet. Ask for a new password on the log-in page, for instance.</article>
{{- end}}
</html>
`))
}
