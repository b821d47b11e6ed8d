package linkfetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/dns/dnsmessage"

	"maskfleet/pkg/job"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	g, err := newGuard([]string{
		"127.0.0.1:9000", "[::1]:9000", "10.0.0.1:22", "169.254.169.254:80", "[fd00:ec2::254]:80",
		"[64:ff9b::a9fe:a9fe]:80", "[2002:a9fe:a9fe::1]:80", "[::169.254.169.254]:80",
	})
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		address string
		ok      bool
	}{
		{"93.184.216.34:80", true},
		{"[2606:2800:220:1::1]:443", true},
		{"127.0.0.1:9000", true}, // allowed by name
		{"[::ffff:127.0.0.1]:9000", true},
		{"10.0.0.1:22", true},
		{"93.184.216.34:443", true},
		{"93.184.216.34:8080", true},
		{"[2606:2800:220:1::1]:8443", true},
		{"93.184.216.34:22", false}, // no website
		{"93.184.216.34:6379", false},
		{"93.184.216.34:0", false},
		{"127.0.0.1:9001", false},
		{"127.8.8.8:80", false},
		{"[::1]:80", false},
		{"[::ffff:127.0.0.1]:80", false},
		{"[::127.0.0.1]:80", false},
		{"0.0.0.0:80", false},
		{"[::]:80", false},
		{"10.1.2.3:80", false},
		{"172.16.0.1:80", false},
		{"192.168.1.1:80", false},
		{"100.64.0.1:80", false},
		{"169.254.1.1:80", false},
		{"169.254.169.254:80", false}, // not even when allowed
		{"[::ffff:169.254.169.254]:80", false},
		{"[64:ff9b::a9fe:a9fe]:80", false}, // nor by way of a gateway
		{"[2002:a9fe:a9fe::1]:80", false},
		{"[::169.254.169.254]:80", false},
		{"[64:ff9b:1::a9fe:a9fe]:80", false},
		{"169.254.170.2:80", false},
		{"[fd00:ec2::254]:80", false},
		{"[fe80::1%25eth0]:80", false},
		{"[fc00::1]:80", false},
		{"[64:ff9b::7f00:1]:80", false},
		{"[2002:7f00:1::]:80", false},
		{"224.0.0.1:80", false},
		{"255.255.255.255:80", false},
		{"192.0.2.1:80", false},
		{"198.18.0.1:80", false},
	}
	for _, c := range cases {
		a, err := netip.ParseAddrPort(strings.ReplaceAll(c.address, "%25", "%"))
		if err != nil {
			t.Fatal(err)
		}
		if err := g.check(a); (err == nil) != c.ok {
			t.Errorf("%s: got %v, want allowed %t", c.address, err, c.ok)
		}
	}
}

func TestCheckLink(t *testing.T) {
	t.Parallel()
	cases := []struct {
		link string
		ok   bool
	}{
		{"https://example.com/a.jpg?x=1", true},
		{"http://127.0.0.1:1/a.jpg", true}, // the address is for Fetch to refuse
		{"ftp://example.com/a.jpg", false},
		{"file:///etc/passwd", false},
		{"javascript:alert(1)", false},
		{"//example.com/a.jpg", false},
		{"https:///a.jpg", false},
		{"https://me:secret@example.com/", false},
		{"https://example.com/a b", false},
		{"https://example.com/\r\nHost: x", false},
		{"https://example.com/\u0085", false},
		{"https://example.com/\u2028", false},
		{"https://example.com/\xff", false},
		{"https://example.com:0/", false},
		{"https://example.com:65536/", false},
		{"https://example.com:8443/Grüße.jpg", true},
		{"http://2130706433/", true}, // what it leads to is for Fetch to refuse
		{"", false},
		{"https://example.com/" + strings.Repeat("a", maxLinkBytes), false},
	}
	for _, c := range cases {
		if err := CheckLink(c.link); (err == nil) != c.ok {
			t.Errorf("%.60q: got %v, want accepted %t", c.link, err, c.ok)
		}
	}
}

func FuzzCheckLink(f *testing.F) {
	f.Add("https://example.com/a.jpg")
	f.Add("http://[::ffff:1.2.3.4]:80/%zz")
	f.Add("https://me:secret@example.com:99999/\xff")
	f.Add("HTTP://0x7f.1/#\u0085")
	f.Fuzz(func(t *testing.T, link string) {
		if err := CheckLink(link); err != nil {
			if !errors.Is(err, ErrLink) {
				t.Errorf("%q: %v is not ErrLink", link, err)
			}
			return
		}
		u, err := url.Parse(link)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
			!utf8.ValidString(link) || len(link) > maxLinkBytes || strings.ContainsAny(link, " \r\n\t\x00") {
			t.Errorf("accepted: %q", link)
		}
	})
}

// site is a server on loopback that the fetcher is allowed to reach.
func site(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func fetcher(t *testing.T, cfg Config, sites ...*httptest.Server) *Fetcher {
	t.Helper()
	for _, s := range sites {
		cfg.Allow = append(cfg.Allow, s.Listener.Addr().String())
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 1 << 20
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func wantCode(t *testing.T, got *job.Failure, want job.Code) {
	t.Helper()
	if got == nil || got.Code != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	secret := site(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret") })
	open := site(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/photo":
			fmt.Fprint(w, "photo")
		case "/moved":
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "x"})
			http.Redirect(w, r, "/cookie", http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "photo")
		case "/announced":
			w.Header().Set("Content-Length", fmt.Sprint(1<<30))
		case "/credentials":
			http.Redirect(w, r, "http://me:secret@"+r.Host+"/photo", http.StatusFound)
		case "/port":
			http.Redirect(w, r, "http://"+r.Host+"0/photo", http.StatusFound)
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		case "/inside":
			http.Redirect(w, r, secret.URL, http.StatusFound)
		case "/metadata":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/big":
			w.Header().Set("Transfer-Encoding", "chunked")
			for range 3 << 10 {
				fmt.Fprint(w, strings.Repeat("x", 1<<10))
			}
		case "/cookie":
			if len(r.Cookies()) > 0 || r.Header.Get("Authorization") != "" || r.Referer() != "" {
				t.Errorf("the fetcher sent more than it must: %v", r.Header)
			}
			fmt.Fprint(w, "photo")
		default:
			http.NotFound(w, r)
		}
	})
	f := fetcher(t, Config{MaxRedirects: 3}, open)
	for _, path := range []string{"/photo", "/moved", "/cookie"} {
		data, failure := f.Fetch(t.Context(), open.URL+path)
		if failure != nil || string(data) != "photo" {
			t.Errorf("%s: got %q, %v", path, data, failure)
		}
	}
	for path, want := range map[string]job.Code{
		"/inside":   job.CodeFetchForbidden,
		"/metadata": job.CodeFetchForbidden,
		"/file":     job.CodeFetchForbidden,
		"/loop":     job.CodeFetchForbidden,
		"/big":      job.CodeImageTooLarge,
		"/none":     job.CodeFetchStatus,

		"/broken":      job.CodeFetchStatus,
		"/cut":         job.CodeFetchStatus,
		"/announced":   job.CodeImageTooLarge,
		"/credentials": job.CodeFetchForbidden,
		"/port":        job.CodeFetchForbidden,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			_, failure := f.Fetch(t.Context(), open.URL+path)
			wantCode(t, failure, want)
		})
	}
	port := netip.MustParseAddrPort(secret.Listener.Addr().String()).Port()
	for _, host := range []string{"127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "127.1"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			data, failure := f.Fetch(t.Context(), fmt.Sprintf("http://%s:%d/", host, port))
			if failure == nil {
				t.Errorf("fetched %q", data)
			}
		})
	}
}

func TestFetchGivesUp(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	slow := site(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/begun" {
			fmt.Fprint(w, "pho")
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	for _, path := range []string{"/", "/begun"} {
		_, failure := fetcher(t, Config{Timeout: 200 * time.Millisecond}, slow).Fetch(t.Context(), slow.URL+path)
		wantCode(t, failure, job.CodeFetchTimeout)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, failure := fetcher(t, Config{}, slow).Fetch(ctx, slow.URL); !errors.Is(failure, context.Canceled) {
		t.Errorf("a caller that went away: got %v", failure)
	}
}

// TestRebindingGainsNothing resolves a name to an allowed address first and to a
// forbidden one ever after.
func TestRebindingGainsNothing(t *testing.T) {
	t.Parallel()
	open := site(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host+"/again", http.StatusFound)
	})
	var asked atomic.Int32
	resolver := fakeResolver(t, func() [4]byte {
		if asked.Add(1) == 1 {
			return [4]byte{127, 0, 0, 1}
		}
		return [4]byte{169, 254, 169, 254}
	})
	cfg := Config{Allow: []string{open.Listener.Addr().String()}, MaxBytes: 1 << 20, Timeout: 5 * time.Second, MaxRedirects: 5}
	f, err := newWithResolver(cfg, resolver)
	if err != nil {
		t.Fatal(err)
	}
	port := netip.MustParseAddrPort(open.Listener.Addr().String()).Port()
	_, failure := f.Fetch(t.Context(), fmt.Sprintf("http://rebind.example.:%d/", port))
	wantCode(t, failure, job.CodeFetchForbidden)
	if asked.Load() < 2 {
		t.Errorf("the name was resolved %d times: the test proves nothing", asked.Load())
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
			packed, err := m.Pack()
			if err != nil {
				continue
			}
			_, _ = conn.WriteTo(packed, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
