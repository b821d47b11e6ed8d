package poster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"maskfleet/pkg/webhook"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// receiver is a server on loopback to which the poster may post.
func receiver(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func poster(t *testing.T, timeout time.Duration, allowed ...*httptest.Server) *Poster {
	t.Helper()
	cfg := Config{Timeout: timeout}
	for _, s := range allowed {
		cfg.Allow = append(cfg.Allow, s.Listener.Addr().String())
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func message(url string) Message {
	return Message{URL: url, Secrets: []string{secret}, ID: "0198f3c2", Body: []byte(`{"type":"batch.completed"}`)}
}

func mustPost(t *testing.T, p *Poster, url string) Attempt {
	t.Helper()
	a, err := p.Post(t.Context(), message(url))
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return a
}

func TestPostIsSigned(t *testing.T) {
	t.Parallel()
	site := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = webhook.Verify([]string{secret}, r.Header, body, time.Now())
		}
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v: %v", r.Method, r.Header, err)
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, "thank\x00 you\n<b>é</b>\xff ")
	})
	a := mustPost(t, poster(t, 5*time.Second, site), site.URL)
	if !a.Succeeded() || a.Status != http.StatusAccepted || a.Answer != "thank you <b>é</b>" || a.At.IsZero() || a.Took <= 0 {
		t.Errorf("got %+v", a)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	var followed atomic.Bool
	site := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/target", http.StatusTemporaryRedirect)
		case "/target":
			followed.Store(true)
		case "/broken":
			http.Error(w, strings.Repeat("x", 1<<20), http.StatusInternalServerError)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/cut":
			connection, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = connection.Close()
			}
		case "/stalls": // after its status: the message was taken
			fmt.Fprint(w, "half")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case "/silent":
			_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice a client that leaves
			<-r.Context().Done()
		}
	})
	secure := httptest.NewUnstartedServer(http.NotFoundHandler()) // signed by nobody
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	p := poster(t, 2*time.Second, site, secure, closed)
	cases := []struct {
		url    string
		fault  Fault
		status int
	}{
		{site.URL + "/moved", FaultRedirect, 307},
		{site.URL + "/broken", FaultStatus, 500},
		{site.URL + "/gone", FaultStatus, 410},
		{site.URL + "/cut", FaultConnection, 0},
		{site.URL + "/stalls", FaultNone, 200},
		{site.URL + "/silent", FaultTimeout, 0},
		{secure.URL, FaultTLS, 0},
		{strings.Replace(site.URL, "http:", "https:", 1), FaultTLS, 0},
		{closed.URL, FaultConnection, 0},
		{"http://nowhere.invalid/", FaultHost, 0},
	}
	for _, c := range cases {
		a := mustPost(t, p, c.url)
		if a.Fault != c.fault || a.Status != c.status || a.Gone() != (c.status == 410) || len(a.Answer) > maxAnswerBytes {
			t.Errorf("%s: got %+v, want %q and status %d", c.url, a, c.fault, c.status)
		}
		if (a.Cause == nil) != (c.status != 0) {
			t.Errorf("%s: the cause is %v", c.url, a.Cause)
		}
	}
	if followed.Load() {
		t.Error("a redirect was followed")
	}
}

// TestPrivateAddresses: by whatever spelling a private address comes, it is refused
// before a byte is sent.
func TestPrivateAddresses(t *testing.T) {
	t.Parallel()
	inside := receiver(t, func(http.ResponseWriter, *http.Request) { t.Error("a private address was reached") })
	port := netip.MustParseAddrPort(inside.Listener.Addr().String()).Port()
	p := poster(t, 5*time.Second)
	for _, host := range []string{
		"127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0.0.0.0",
		"[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "[64:ff9b::7f00:1]", "[fc00::1]", "[fe80::1]",
		"10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "[fd00:ec2::254]",
	} {
		for _, scheme := range []string{"http", "https"} {
			a, err := p.Post(t.Context(), message(fmt.Sprintf("%s://%s:%d/", scheme, host, port)))
			// A decimal or octal spelling is a name to some resolvers and an address to others.
			if err == nil && a.Fault != FaultForbidden && a.Fault != FaultHost {
				t.Errorf("%s://%s: got %+v, %v", scheme, host, a, err)
			}
		}
	}
	for _, url := range []string{"http://169.254.169.254/latest/meta-data/", "https://[::ffff:169.254.169.254]/", "http://127.0.0.1/"} {
		if a := mustPost(t, p, url); a.Fault != FaultForbidden {
			t.Errorf("%s: got %+v", url, a)
		}
	}
}

// TestRebindingGainsNothing resolves a name to an address that is allowed, then to
// one that is not.
func TestRebindingGainsNothing(t *testing.T) {
	t.Parallel()
	site := receiver(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	addresses := [][4]byte{{127, 0, 0, 1}, {127, 0, 0, 2}, {169, 254, 169, 254}}
	var asked atomic.Int32
	resolver := fakeResolver(t, func() [4]byte { return addresses[min(int(asked.Add(1)), len(addresses))-1] })
	p, err := newWithResolver(Config{Allow: []string{site.Listener.Addr().String()}, Timeout: 5 * time.Second}, resolver)
	if err != nil {
		t.Fatal(err)
	}
	port := netip.MustParseAddrPort(site.Listener.Addr().String()).Port()
	url := fmt.Sprintf("http://rebind.example.:%d/", port)
	for i, want := range []Fault{FaultNone, FaultForbidden, FaultForbidden} {
		if a := mustPost(t, p, url); a.Fault != want {
			t.Errorf("look-up %d: got %+v, want %q", i+1, a, want)
		}
	}
	if asked.Load() != 3 {
		t.Errorf("the name was resolved %d times: the test proves nothing", asked.Load())
	}
}

func TestPostTriesNothing(t *testing.T) {
	t.Parallel()
	site := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	p := poster(t, 5*time.Second, site)
	unsigned := message(site.URL)
	unsigned.Secrets = nil
	for _, m := range []Message{unsigned, message("ftp://example.com/"), message("http://me:secret@example.com/")} {
		if a, err := p.Post(t.Context(), m); err == nil {
			t.Errorf("%s: got %+v", m.URL, a)
		}
	}
	stopping := errors.New("stopping")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(stopping) })
	if a, err := p.Post(ctx, message(site.URL)); !errors.Is(err, stopping) {
		t.Errorf("a caller that stops: got %+v, %v", a, err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := Config{Allow: []string{"127.0.0.1:9000"}, Timeout: time.Second, Retries: []time.Duration{time.Second}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]Config{
		"WEBHOOK_ALLOW":   {Allow: []string{"localhost:80"}, Timeout: time.Second},
		"WEBHOOK_TIMEOUT": {},
		"WEBHOOK_RETRIES": {Timeout: time.Second, Retries: []time.Duration{0}},
	} {
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// fakeResolver answers every A question with what answer gives, over UDP on loopback.
func fakeResolver(t *testing.T, answer func() [4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() { // ends when conn is closed
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if err := m.Unpack(buf[:n]); err != nil || len(m.Questions) == 0 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			if q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET},
					Body:   &dnsmessage.AResource{A: answer()},
				}}
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
