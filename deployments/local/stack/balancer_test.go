package stack

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestBalancerConfig(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		balancer balancer
		want     []string
		count    map[string]int
	}{
		"one door": {
			balancer: balancer{address: "127.0.0.1:8080", socket: "/tmp/a.sock", connections: 4000, doors: []string{"127.0.0.1:20001"}},
			want: []string{
				"    bind 127.0.0.1:8080 backlog 4000\n",
				"    stats socket /tmp/a.sock mode 600 level admin\n",
				"    http-check send meth GET uri-lf %[var(proc.doors)]\n",
				"    set-var proc.doors str(/readyz)\n",
				"    option redispatch\n",
				"    option forwardfor\n",
				"    server local-1 127.0.0.1:20001\n",
				`"status":503,`,
			},
			count: map[string]int{"    server local-": 1, "    http-error status ": 3},
		},
		"two doors, few files": {
			balancer: balancer{address: "127.0.0.1:9", socket: "/tmp/b.sock", connections: 100, doors: []string{"127.0.0.1:1", "127.0.0.1:2"}},
			want:     []string{"    maxconn 100\n", "    server local-2 127.0.0.1:2\n"},
			count:    map[string]int{"    server local-": 2},
		},
		"no door yet": {
			balancer: balancer{address: "127.0.0.1:9", socket: "/tmp/c.sock", connections: 100},
			count:    map[string]int{"    server local-": 0},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := c.balancer.config()
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
			for part, want := range c.count {
				if count := strings.Count(got, part); count != want {
					t.Errorf("%q stands there %d times, want %d", part, count, want)
				}
			}
			acceptedByHAProxy(t, got)
		})
	}
}

// acceptedByHAProxy has HAProxy read the text without running it.
func acceptedByHAProxy(t *testing.T, config string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := systemProgram("haproxy")
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command(program, "-c", "-f", path).CombinedOutput()
	if err != nil || strings.Contains(string(output), "WARNING") {
		t.Errorf("haproxy -c: %v\n%s", err, output)
	}
}
