package ingest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"maskfleet/pkg/mail"
)

// TestRecoveryTellsNobodyWhoHasAnAccount: the mail server takes the connection and says
// nothing. An answer that waited for the mail would come once the sender gave up.
func TestRecoveryTellsNobodyWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	server := openSilentServer(t)
	d := openDoor(t, storesOfPages(t), func(c *Config) {
		c.Mail = mail.Config{Address: server.address, TLS: mail.TLSNone, From: "door@site.example"}
		c.PublicURL = "https://maskfleet.example/"
	})
	if err := d.store.SetUserEmail(t.Context(), d.bob.user.ID, "bob@site.example"); err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{}
	for _, who := range []string{"bob", "nobody", "bob@site.example", "nobody@site.example"} {
		a := d.form(t, "/password/forgotten", "", "who", who)
		a.says(t, http.StatusOK, "If there is such an account")
		answers[string(a.body)] = who
	}
	if n := server.left.Load(); n > 0 {
		t.Error("the answers waited for the mail")
	}
	if len(answers) != 1 {
		t.Errorf("the answers differ for %v", answers)
	}
	<-server.reached // the mail was being sent meanwhile, or is now
}

// silentServer takes connections and says nothing.
type silentServer struct {
	address string
	reached chan struct{} // closed with the first connection
	left    atomic.Int32  // whose clients closed them
}

func openSilentServer(t *testing.T) *silentServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silentServer{address: listener.Addr().String(), reached: make(chan struct{})}
	over, end := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for n := 0; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if n == 0 {
				close(s.reached)
			}
			context.AfterFunc(over, func() { _ = conn.Close() })
			all.Go(func() {
				_, _ = io.Copy(io.Discard, conn)
				s.left.Add(1)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		end()
		all.Wait()
	})
	return s
}

func TestRecoveryIsLimited(t *testing.T) {
	t.Parallel()
	d, _ := openMailingDoor(t)
	try := func(who, address string) int {
		return d.browse(t, http.MethodPost, "/password/forgotten", "", url.Values{"who": {who}}, map[string]string{"X-Forwarded-For": address}).status
	}
	for _, who := range []string{"bob", "nobody"} { // no difference between them
		for i := range 3 {
			if got := try(who, "192.0.2.1"); got != http.StatusOK {
				t.Fatalf("request %d for %s gives %d", i+1, who, got)
			}
		}
		if got := try(who, "192.0.2.1"); got != http.StatusTooManyRequests {
			t.Errorf("request 4 for %s gives %d", who, got)
		}
	}
	if got := try("BOB", "192.0.2.2"); got != http.StatusOK {
		t.Errorf("from another address it gives %d", got)
	}
}
