package stack

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// mostConnections is how many clients the balancer takes at once; more wait in
// the kernel's queue.
const mostConnections = 4000

// balancerBackend is where the front doors stand; the stand-in for AWS adds and
// removes servers there, each with balancerServer's settings.
const (
	balancerBackend = "doors"
	balancerServer  = "maxconn 1500"
)

func (s *Stack) balancerSocket() string { return filepath.Join(s.socketDir, "haproxy.sock") }

// balancer is all that its configuration depends on.
type balancer struct {
	address     string // host:port
	socket      string // runtime socket
	connections int
	doors       []string // host:port of each front door
}

// haproxy stands in for the load balancer of AWS.
func (s *Stack) haproxy() (spec, error) {
	program, err := systemProgram("haproxy")
	if err != nil {
		return spec{}, err
	}
	b := balancer{
		address:     s.at.web,
		socket:      s.balancerSocket(),
		connections: affordableConnections(),
	}
	for _, instance := range s.at.instances {
		b.doors = append(b.doors, instance.ingest)
	}
	config := filepath.Join(s.runDir(), "haproxy.cfg")
	if err := replaceFile(config, []byte(b.config())); err != nil {
		return spec{}, fmt.Errorf("writing the balancer's settings: %w", err)
	}
	ready := httpReady("http://" + s.at.web + "/readyz")
	if len(b.doors) == 0 { // they come later
		ready = connects(s.at.web)
	}
	return spec{
		program: program, args: []string{"-db", "-f", config}, address: s.at.web,
		ready: ready, readyLimit: 30 * time.Second,
		// SIGUSR1 finishes the requests in hand; hard-stop-after bounds that.
		stopSignal: syscall.SIGUSR1, stopLimit: 5 * time.Second,
	}, nil
}

// affordableConnections leaves each connection its two files.
func affordableConnections() int {
	const spare = 200
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil || files.Max > 2*mostConnections+spare {
		return mostConnections
	}
	return max(100, (int(files.Max)-spare)/2)
}

// config: requests beyond what the doors take at once wait in the balancer, so that a
// rush is slow, never refused. Retries are for requests that never reached a door, and
// for reading ones: a photo sent twice would be two photos. A door is asked often how it
// is, but may take its time to answer, as one with a quarter of a core does: one whose
// port is closed is out after half a second, one that hangs after some four. The
// balancer's own answers follow the API's form, but for a browser while no door is ready.
func (b balancer) config() string {
	var text strings.Builder
	fmt.Fprintf(&text, `global
    log stdout format raw local0 notice
    maxconn %[1]d
    hard-stop-after 3s
    stats socket %[2]s mode 600 level admin
    set-var proc.doors str(/readyz)

defaults
    mode http
    log global
    option dontlognull
    option redispatch
    option forwardfor
    retries 3
    retry-on conn-failure empty-response
    timeout connect 2s
    timeout check 2s
    timeout http-request 15s
    timeout http-keep-alive 60s
    timeout client 75s
    timeout server 75s
    timeout queue 60s
`, b.connections, b.socket)
	for _, trouble := range []struct {
		status int
		title  string
	}{
		{502, "The front door went away during the request."},
		{503, "No front door is ready."},
		{504, "The front door did not answer in time."},
	} {
		fmt.Fprintf(&text, `    http-error status %[1]d content-type application/problem+json hdr Retry-After 2 hdr Cache-Control no-store string '{"type":"/docs/errors#unavailable","title":"Unavailable","status":%[1]d,"detail":"%[2]s Try again in a moment.","code":"unavailable"}'
`, trouble.status, trouble.title)
	}
	fmt.Fprintf(&text, `
frontend web
    bind %[1]s backlog %[2]d
    maxconn %[2]d
    http-request set-header X-Forwarded-Proto http
    http-request disable-l7-retry unless METH_GET
    http-request return status 503 content-type text/html hdr Retry-After 2 hdr Cache-Control no-store string '<!doctype html><meta http-equiv="refresh" content="2"><title>Maskfleet is starting</title><p>No front door is ready yet. This page tries again by itself.' if { nbsrv(doors) eq 0 } { req.hdr(Accept) -m sub text/html }
    default_backend doors

backend doors
    balance roundrobin
    option httpchk
    http-check send meth GET uri-lf %%[var(proc.doors)]
    http-check expect status 200
    default-server check inter 500ms downinter 250ms rise 1 fall 2 %[3]s
`, b.address, b.connections, balancerServer)
	for i, door := range b.doors {
		fmt.Fprintf(&text, "    server local-%d %s\n", i+1, door)
	}
	return text.String()
}
