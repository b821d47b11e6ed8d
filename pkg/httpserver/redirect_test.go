package httpserver

import "testing"

func TestRedirectKeepsTheHost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ host, port, want string }{
		{"photos.example", "443", "photos.example"},
		{"photos.example:80", "443", "photos.example"},
		{"photos.example:8080", "8443", "photos.example:8443"},
		{"[::1]", "8443", "[::1]:8443"},
		{"[::1]:80", "443", "[::1]"},
		{"[::1]:80", "8443", "[::1]:8443"},
		{"127.0.0.1", "443", "127.0.0.1"},
	} {
		if got := atPort(c.host, c.port); got != c.want {
			t.Errorf("%s at %s: %s, want %s", c.host, c.port, got, c.want)
		}
	}
}
