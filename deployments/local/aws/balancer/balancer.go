package balancer

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Config names one backend of a HAProxy and the frontend before it. Its settings must
// take the address of health checks from a variable:
//
//	global
//	    set-var proc.NAME str(/)
//	backend NAME
//	    http-check send meth GET uri-lf %[var(proc.NAME)]
//	    http-check expect status 200
type Config struct {
	Port    int    `json:"port"` // that its frontend listens on
	Socket  string `json:"socket"`
	Backend string `json:"backend"`
	Server  string `json:"server"` // further settings of each server, such as "maxconn 1500"
}

// Balancer is that backend. It may be used by many at once.
type Balancer struct {
	config Config
}

// New reaches HAProxy at each question only.
func New(config Config) *Balancer { return &Balancer{config: config} }

// Port is where its frontend listens.
func (b *Balancer) Port() int { return b.config.Port }

// Check says when a server is well.
type Check struct {
	Port     uint16 // 0: where it serves
	Interval time.Duration
	Rise     int
	Fall     int
}

// Server is one as HAProxy sees it.
type Server struct {
	Name     string
	Status   Status
	Result   string // of the last check, in HAProxy's abbreviation: L7OK, L4CON, …
	Code     int    // of the last answer to a check; 0: none
	Sessions int    // requests under way
	Total    int    // requests so far
}

// Status is what HAProxy does with a server.
type Status string

// The statuses.
const (
	Up      Status = "UP"
	Down    Status = "DOWN"
	Drain   Status = "DRAIN" // finishes what it has
	Maint   Status = "MAINT" // gets nothing and is not checked
	Unknown Status = "no check"
)

// Servers lists those of the backend.
func (b *Balancer) Servers(ctx context.Context) ([]Server, error) {
	const servers = 4 // of the kinds of rows
	text, err := b.ask(ctx, fmt.Sprintf("show stat %s %d -1", b.config.Backend, servers))
	if err != nil {
		return nil, err
	}
	return parseServers(text)
}

func parseServers(text string) ([]Server, error) {
	text, found := strings.CutPrefix(strings.TrimSpace(text), "# ")
	if !found {
		return nil, fmt.Errorf("reading the balancer's servers: it says %q", text)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading the balancer's servers: %w", err)
	}
	columns := make(map[string]int)
	for i, name := range rows[0] {
		columns[name] = i
	}
	var servers []Server
	for _, row := range rows[1:] {
		status, _, _ := strings.Cut(row[columns["status"]], " ") // "UP 1/2" is on its way down
		s := Server{Name: row[columns["svname"]], Status: Status(status), Result: strings.TrimPrefix(row[columns["check_status"]], "* ")}
		s.Code, _ = strconv.Atoi(row[columns["check_code"]]) // empty: none
		s.Sessions, _ = strconv.Atoi(row[columns["scur"]])
		s.Total, _ = strconv.Atoi(row[columns["stot"]])
		servers = append(servers, s)
	}
	return servers, nil
}

// Add adds a server that gets its first request after its first good checks: HAProxy
// takes a new one for well, so it comes without weight and is told to be down before
// it gets any. What an earlier try left half done is finished.
func (b *Balancer) Add(ctx context.Context, name string, at netip.AddrPort, check Check) error {
	server := b.config.Backend + "/" + name
	settings := fmt.Sprintf("check inter %dms fastinter %[1]dms downinter %[1]dms rise %d fall %d weight 0", check.Interval.Milliseconds(), check.Rise, check.Fall)
	if check.Port != 0 {
		settings += fmt.Sprintf(" port %d", check.Port)
	}
	answer, err := b.ask(ctx, fmt.Sprintf("add server %s %s %s %s", server, at, settings, b.config.Server))
	if err != nil {
		return err
	}
	if text := strings.TrimSpace(answer); text != "New server registered." && !strings.Contains(text, "Already exists") {
		return fmt.Errorf("adding %s to the balancer: %s", server, text)
	}
	return b.order(ctx, fmt.Sprintf("enable health %[1]s; enable server %[1]s; set server %[1]s health down; set server %[1]s weight 100", server), "")
}

// Resume gives requests to a server again that was draining.
func (b *Balancer) Resume(ctx context.Context, name string) error {
	return b.order(ctx, fmt.Sprintf("set server %s/%s state ready", b.config.Backend, name), "")
}

// Drain gives the server no new requests; those it has may finish.
func (b *Balancer) Drain(ctx context.Context, name string) error {
	return b.order(ctx, fmt.Sprintf("set server %s/%s state drain", b.config.Backend, name), "")
}

// Remove closes what the server still has and takes it out. While HAProxy has not let
// go of it, that is an error: try again.
func (b *Balancer) Remove(ctx context.Context, name string) error {
	server := b.config.Backend + "/" + name
	if err := b.order(ctx, fmt.Sprintf("set server %s state maint", server), ""); err != nil {
		return err
	}
	if err := b.order(ctx, "shutdown sessions server "+server, ""); err != nil {
		return err
	}
	return b.order(ctx, "del server "+server, "Server deleted.")
}

// CheckPath is where all servers are asked how they are.
func (b *Balancer) CheckPath(ctx context.Context, path string) error {
	return b.order(ctx, fmt.Sprintf("experimental-mode on; set var proc.%s str(%s)", b.config.Backend, path), "")
}
