package mail_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"maskfleet/deployments/local/outside"
	"maskfleet/pkg/mail"
)

// catch starts a server that takes all mail, without encryption.
func catch(t *testing.T) (address string, caught *outside.Mailbox) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	caught = &outside.Mailbox{}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- caught.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return listener.Addr().String(), caught
}

func TestSend(t *testing.T) {
	t.Parallel()
	address, caught := catch(t)
	sender, err := mail.New(mail.Config{Address: address, TLS: mail.TLSNone, From: "Maskfleet <door@site.example>"})
	if err != nil {
		t.Fatal(err)
	}
	link := "https://site.example/password/new?token=" + strings.Repeat("A", 120)
	err = sender.Send(t.Context(), mail.Message{To: "ann@site.example", Subject: "Grüße", Text: "Hällo,\n\n" + link + "\n"})
	if err != nil {
		t.Fatal(err)
	}
	letters := caught.To("ann@site.example")
	if len(letters) != 1 || letters[0].From != "door@site.example" || letters[0].Subject != "Grüße" {
		t.Fatalf("caught %+v", letters)
	}
	if !strings.Contains(letters[0].Text, "Hällo") || !strings.Contains(letters[0].Text, link) {
		t.Errorf("the text arrived as %q", letters[0].Text)
	}
	for _, to := range []string{"", "nobody", "ann@site.example\r\nBcc: eve@evil.example", "ann@site.example, eve@evil.example"} {
		if err := sender.Send(t.Context(), mail.Message{To: to, Subject: "s", Text: "t"}); err == nil {
			t.Errorf("a mail to %q was sent", to)
		}
	}
	err = sender.Send(t.Context(), mail.Message{To: "bob@site.example", Subject: "s\r\nBcc: eve@evil.example", Text: "t"})
	if err == nil && len(caught.To("eve@evil.example")) > 0 {
		t.Error("a subject added a recipient")
	}
}

func TestSendFallsBackToNothing(t *testing.T) {
	t.Parallel()
	address, caught := catch(t)
	for _, protection := range []string{mail.TLSStart, mail.TLSFull} {
		sender, err := mail.New(mail.Config{Address: address, TLS: protection, From: "door@site.example"})
		if err != nil {
			t.Fatal(err)
		}
		if err := sender.Send(t.Context(), mail.Message{To: "ann@site.example", Subject: "s", Text: "t"}); err == nil {
			t.Errorf("%s: sent to a server that cannot encrypt", protection)
		}
	}
	if n := len(caught.To("")); n > 0 {
		t.Errorf("%d letters went unprotected", n)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	off, err := mail.New(mail.Config{})
	if err != nil || off.Enabled() {
		t.Fatalf("without settings: %v, %v", off, err)
	}
	if err := off.Send(t.Context(), mail.Message{}); !errors.Is(err, mail.ErrDisabled) {
		t.Errorf("without settings, sending gives %v", err)
	}
	good := mail.Config{Address: "mail.example:587", TLS: mail.TLSStart, From: "a@b.example", User: "u", Password: "p"}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*mail.Config){
		"no port":            func(c *mail.Config) { c.Address = "mail.example" },
		"port 0":             func(c *mail.Config) { c.Address = "mail.example:0" },
		"no sender":          func(c *mail.Config) { c.From = "" },
		"unknown protection": func(c *mail.Config) { c.TLS = "maybe" },
		"password in clear":  func(c *mail.Config) { c.TLS = mail.TLSNone },
	} {
		bad := good
		spoil(&bad)
		if bad.Validate() == nil {
			t.Errorf("%s is allowed", name)
		}
	}
	for text, want := range map[string]bool{
		"ann@site.example": true, "Ann <ann@site.example>": false, "ann": false, "": false, "ann@site.example\n": false,
		"a@b.example, c@d.example": false, strings.Repeat("a", 250) + "@b.example": false,
	} {
		if got := mail.ValidAddress(text); got != want {
			t.Errorf("ValidAddress(%q) is %v", text, got)
		}
	}
}

// TestSendEndsWithItsContext: a server that says nothing keeps nobody from stopping.
func TestSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	sender, err := mail.New(mail.Config{Address: listener.Addr().String(), TLS: mail.TLSNone, From: "door@site.example"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	stopping, sent := errors.New("stopping"), make(chan error, 1)
	go func() { sent <- sender.Send(ctx, mail.Message{To: "ann@site.example", Subject: "s", Text: "t"}) }()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // only after the sender has ended
	if _, err := conn.Write([]byte("220 silent.example\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // its EHLO: it is connected
		t.Fatal(err)
	}
	stop(stopping)
	if err := <-sent; !errors.Is(err, stopping) {
		t.Errorf("got %v, want that it was stopped", err)
	}
}
