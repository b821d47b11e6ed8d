package elb

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"maskfleet/deployments/local/aws/balancer"
)

// scripted answers as a HAProxy with one server does, and keeps what it was told.
type scripted struct {
	socket string

	mu     sync.Mutex // guards the rest
	status string     // of the server; empty: there is none
	clings bool       // it cannot be deleted yet
	told   []string
}

const scriptedServer = "i-1-8080"

func startScripted(t *testing.T) *scripted {
	t.Helper()
	s := &scripted{socket: filepath.Join(t.TempDir(), "s")}
	listener, err := net.Listen("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			line, _ := bufio.NewReader(conn).ReadString('\n') // an empty one is answered by nothing
			fmt.Fprint(conn, s.answer(strings.TrimSpace(line)))
			_ = conn.Close()
		}
	}()
	return s
}

func (s *scripted) answer(line string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch word, _, _ := strings.Cut(line, " "); {
	case word == "show":
		text := "# pxname,svname,status,check_status,check_code,scur,stot\n"
		if s.status != "" {
			text += "doors," + scriptedServer + "," + s.status + ",L7OK,200,1,1\n"
		}
		return text
	case strings.Contains(line, "set var"):
		return ""
	}
	s.told = append(s.told, line)
	switch {
	case strings.HasSuffix(line, "state maint"):
		s.status = string(balancer.Maint)
	case strings.HasSuffix(line, "state drain"):
		s.status = string(balancer.Drain)
	case strings.HasPrefix(line, "del server") && s.clings:
		return "Server still has connections attached to it, cannot remove it."
	case strings.HasPrefix(line, "del server"):
		s.status = ""
		return "Server deleted."
	case strings.HasPrefix(line, "add server") && s.status != "":
		return "Already exists a server with the same name in backend."
	case strings.HasPrefix(line, "add server"):
		s.status = string(balancer.Down)
		return "New server registered."
	}
	return ""
}

func (s *scripted) set(status string, clings bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.clings = status, clings
}

// was says whether a command with these beginning words has come since it was asked
// last, and forgets all.
func (s *scripted) was(words string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := slices.ContainsFunc(s.told, func(line string) bool { return strings.HasPrefix(line, words) })
	s.told = nil
	return found
}

// behind is a group with one target that the balancer knows.
func behind(t *testing.T, s *scripted) (*ELB, string) {
	t.Helper()
	config := withEntrance(t.TempDir(), 8080, Entrance{Name: "web", TargetPort: 8080, CheckPath: "/readyz", Delay: 300})
	config.Balancers[0].Socket = s.socket
	e, err := Open(config, running{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	group := e.arn("targetgroup/web/web")
	if _, err := e.registerTargets(t.Context(), targetsRequest{ARN: group, Targets: []targetDescription{{ID: "i-1"}}}); err != nil {
		t.Fatal(err)
	}
	e.follow(t.Context())
	s.set(string(balancer.Up), false)
	s.was("")
	return e, group
}

func (e *ELB) mustModify(t *testing.T, group string, interval int) {
	t.Helper()
	if _, err := e.modifyTargetGroup(t.Context(), modifyGroupRequest{ARN: group, checkRequest: checkRequest{Interval: interval}}); err != nil {
		t.Fatal(err)
	}
}

// TestDrainingTargetKeepsItsRequests: new settings of checks are no reason to close them.
func TestDrainingTargetKeepsItsRequests(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	e, group := behind(t, s)
	one := targetsRequest{ARN: group, Targets: []targetDescription{{ID: "i-1"}}}
	if _, err := e.deregisterTargets(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	e.mustModify(t, group, 20)
	e.follow(t.Context())
	if s.was("shutdown sessions") {
		t.Error("the requests of a draining target were closed")
	}
	if _, err := e.registerTargets(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	e.follow(t.Context())
	if !s.was("add server doors/" + scriptedServer) {
		t.Error("the target came back with the settings of before")
	}
}

// TestNewSettingsOutliveARefusedRemoval: a server that HAProxy does not let go of yet is
// not brought back with the settings that it had.
func TestNewSettingsOutliveARefusedRemoval(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	e, group := behind(t, s)
	e.mustModify(t, group, 20)
	s.set(string(balancer.Up), true)
	for range 3 {
		e.follow(t.Context())
		if s.was("add server") {
			t.Error("a server was added that is not gone")
		}
	}
	s.set(string(balancer.Maint), false)
	e.follow(t.Context())
	if !s.was("add server doors/" + scriptedServer + " 127.9.0.5:8080 check inter 2000ms") {
		t.Error("the server did not come with its new settings")
	}
}

// TestTroubleIsToldOnce: a HAProxy that is away is looked for several times a second.
func TestTroubleIsToldOnce(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	e, _ := behind(t, s)
	var out strings.Builder
	e.log = slog.New(slog.NewTextHandler(&out, nil))
	there, away := e.balancers[8080], balancer.New(balancer.Config{Port: 8080, Socket: s.socket + "-none", Backend: "doors"})
	for _, b := range []*balancer.Balancer{away, away, away, there, there, away} {
		e.balancers[8080] = b
		e.follow(t.Context())
	}
	if warned, again := strings.Count(out.String(), "not brought up to date"), strings.Count(out.String(), "up to date again"); warned != 2 || again != 1 {
		t.Errorf("told %d times that it is behind and %d times that it is not, want 2 and 1:\n%s", warned, again, &out)
	}
}

func TestTagsOfAllOrNone(t *testing.T) {
	t.Parallel()
	e, group := behind(t, startScripted(t))
	if _, err := e.addTags(t.Context(), addTagsRequest{ARNs: []string{group, "arn:of:nobody"}, Tags: []tag{{Key: "a", Value: "b"}}}); err == nil {
		t.Error("tags of nobody were taken")
	}
	if tags := e.kept.TargetGroups[group].Tags; len(tags) > 0 {
		t.Errorf("a refused call left tags %v", tags)
	}
}

func TestOneListenerOfAGroup(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	e, group := behind(t, s)
	e.balancers[8081] = balancer.New(balancer.Config{Port: 8081, Socket: s.socket, Backend: "others"})
	_, err := e.createListener(t.Context(), createListenerRequest{
		LoadBalancerARN: e.arn("loadbalancer/app/web/web"), Protocol: "HTTP", Port: 8081,
		DefaultActions: []action{{Type: "forward", TargetGroupARN: group}},
	})
	if err == nil || !strings.Contains(err.Error(), "one listener") {
		t.Errorf("a second listener of a group: %v", err)
	}
}

// TestListenerKeepsItsTags: a parameter is never overlooked.
func TestListenerKeepsItsTags(t *testing.T) {
	t.Parallel()
	e, group := behind(t, startScripted(t))
	arn := e.arn("listener/app/web/web/web")
	if _, err := e.deleteListener(t.Context(), listenerRequest{ARN: arn}); err != nil {
		t.Fatal(err)
	}
	out, err := e.createListener(t.Context(), createListenerRequest{
		LoadBalancerARN: e.arn("loadbalancer/app/web/web"), Protocol: "HTTP", Port: 8080, Tags: []tag{{Key: "a", Value: "b"}},
		DefaultActions: []action{{Type: "forward", TargetGroupARN: group}},
	})
	if err != nil {
		t.Fatal(err)
	}
	tags, err := e.describeTags(t.Context(), describeTagsRequest{ARNs: []string{out.Listeners[0].ARN}})
	if err != nil || len(tags.Descriptions) != 1 || !slices.Equal(tags.Descriptions[0].Tags, []tag{{Key: "a", Value: "b"}}) {
		t.Errorf("tags of the listener: %+v, %v", tags, err)
	}
}
