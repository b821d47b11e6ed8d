package awstest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"maskfleet/deployments/local/aws"
	"maskfleet/deployments/local/aws/balancer"
	"maskfleet/deployments/local/aws/ec2"
	"maskfleet/deployments/local/aws/host"
	"maskfleet/deployments/local/aws/wire"
	"maskfleet/deployments/local/spawn"
	"maskfleet/pkg/testenv/reserve"
)

// Image is the one that instances can be launched from. Unless Options say otherwise
// it runs a web server at port GuestPort, which answers GET /readyz.
const (
	Image     = "ami-0123456789abcdef0"
	GuestPort = 8080
	Region    = "eu-central-1"
	KeyPair   = "maskfleet"
	Profile   = "maskfleet-worker"
)

// Options say how a stand-in differs from the usual one.
type Options struct {
	Balancers int               // listeners that can be made; 0: one
	Configure func(*aws.Config) // last
}

// AWS is a stand-in that ends with its test.
type AWS struct {
	Endpoint  string // of the API
	Control   string // where faults are asked for
	AccessKey string
	SecretKey string
	Ports     []int // a listener can be made on each

	api, host, haproxy *process
	dir                string
}

// Start returns when all of it is ready.
func Start(tb testing.TB, options Options) *AWS {
	tb.Helper()
	bin, err := programs()
	if err != nil {
		tb.Fatal(err)
	}
	dir := shortDir(tb)
	spawner := spawn.New()
	tb.Cleanup(spawner.Close)
	a := &AWS{AccessKey: "AKIAIOSFODNN7LOCAL00", SecretKey: "local-secret-key", dir: dir}
	for range max(1, options.Balancers) {
		a.Ports = append(a.Ports, reserve.Port(tb))
	}
	config := a.settings(tb, filepath.Join(bin, "guest"))
	if options.Configure != nil {
		options.Configure(&config)
	}
	path := filepath.Join(dir, "aws.json")
	text, err := json.Marshal(config)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
	a.host = &process{
		name: "host", program: filepath.Join(bin, "aws"), spawner: spawner, log: filepath.Join(dir, "host.log"),
		args: []string{"host", "-dir", filepath.Join(dir, "host"), "-socket", config.Host, "-shutdown", "5s"}, ready: connects("unix", config.Host),
	}
	a.api = &process{
		name: "api", program: filepath.Join(bin, "aws"), spawner: spawner, log: filepath.Join(dir, "api.log"),
		args: []string{"api", "-config", path}, ready: connects("tcp", config.Listen),
	}
	a.haproxy = a.balancer(tb, spawner)
	for _, p := range []*process{a.haproxy, a.host, a.api} {
		tb.Cleanup(p.stop)
		p.start(tb)
	}
	return a
}

// shortDir is a folder whose sockets' names stay within the 107 bytes that the kernel
// allows.
func shortDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "aws-") //nolint:usetesting // see above
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("what the stand-in kept and printed: %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

func (a *AWS) settings(tb testing.TB, guest string) aws.Config {
	tb.Helper()
	listen, control := fmt.Sprintf("127.0.0.1:%d", reserve.Port(tb)), fmt.Sprintf("127.0.0.1:%d", reserve.Port(tb))
	a.Endpoint, a.Control = "http://"+listen, "http://"+control
	config := aws.Config{
		Listen: listen, Control: control, Dir: filepath.Join(a.dir, "api"), Host: filepath.Join(a.dir, "host.sock"),
		Region: Region, AccountID: "000000000000", Keys: []wire.Key{{AccessKey: a.AccessKey, SecretKey: a.SecretKey}},
		KeyPairs: []string{KeyPair},
		Roles: []host.Role{{
			Name: Profile, ProfileARN: "arn:aws:iam::000000000000:instance-profile/" + Profile, AccessKey: a.AccessKey, SecretKey: a.SecretKey,
		}},
		Images: []ec2.Image{{
			ID: Image, Name: "guest", Description: "a web server for tests", CreatedAt: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
			Programs: []host.Program{{
				Name: "guest", Command: []string{guest, "-address", fmt.Sprintf("${local-ipv4}:%d", GuestPort)},
				Environment: map[string]string{"GUEST": "${instance-id}"}, UserData: true,
			}},
		}},
		Pending: aws.Duration(200 * time.Millisecond), Boot: aws.Duration(100 * time.Millisecond),
		Shutdown: aws.Duration(5 * time.Second), Forgotten: aws.Duration(time.Hour), Speed: 10, Monitor: aws.Duration(2 * time.Second),
	}
	for n, port := range a.Ports {
		config.Balancers = append(config.Balancers, balancer.Config{Port: port, Socket: a.socket(), Backend: backend(n)})
	}
	return config
}

func (a *AWS) socket() string { return filepath.Join(a.dir, "haproxy.sock") }

func backend(n int) string { return fmt.Sprintf("targets%d", n+1) }

// balancer prepares a HAProxy with a frontend for each port.
func (a *AWS) balancer(tb testing.TB, spawner *spawn.Spawner) *process {
	tb.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "global\n    log stdout format raw local0 notice\n    stats socket %s mode 600 level admin\n", a.socket())
	for n := range a.Ports {
		fmt.Fprintf(&text, "    set-var proc.%s str(/)\n", backend(n))
	}
	text.WriteString("\ndefaults\n    mode http\n    log global\n    option redispatch\n    retries 3\n    retry-on conn-failure empty-response\n" +
		"    timeout connect 2s\n    timeout check 2s\n    timeout client 75s\n    timeout server 75s\n    timeout queue 60s\n")
	for n, port := range a.Ports {
		fmt.Fprintf(&text, "\nfrontend web%[1]d\n    bind 127.0.0.1:%[2]d\n    default_backend %[3]s\n\nbackend %[3]s\n    balance roundrobin\n"+
			"    option httpchk\n    http-check send meth GET uri-lf %%[var(proc.%[3]s)]\n    http-check expect status 200\n", n+1, port, backend(n))
	}
	path := filepath.Join(a.dir, "haproxy.cfg")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	return &process{
		name: "haproxy", program: systemProgram(tb, "haproxy"), args: []string{"-db", "-f", path},
		spawner: spawner, log: filepath.Join(a.dir, "haproxy.log"), ready: connects("unix", a.socket()),
	}
}

// KillAPI ends the API with SIGKILL; instances and the balancer go on.
func (a *AWS) KillAPI() { a.api.kill() }

// StartAPI starts it again and returns when it answers.
func (a *AWS) StartAPI(tb testing.TB) {
	tb.Helper()
	a.api.start(tb)
}

// KillHost ends the host with SIGKILL, and with it all instances.
func (a *AWS) KillHost() { a.host.kill() }

// StartHost starts it again.
func (a *AWS) StartHost(tb testing.TB) {
	tb.Helper()
	a.host.start(tb)
}

// StartHostElsewhere starts it again with another part of loopback.
func (a *AWS) StartHostElsewhere(tb testing.TB) {
	tb.Helper()
	path := filepath.Join(a.dir, "host", "network")
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	before := netip.MustParsePrefix(strings.TrimSpace(string(text)))
	taken, err := net.Listen("tcp", netip.AddrPortFrom(before.Addr().Next(), host.MetadataPort).String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = taken.Close() })
	a.StartHost(tb)
}

// KillBalancer ends HAProxy with SIGKILL.
func (a *AWS) KillBalancer() { a.haproxy.kill() }

// StartBalancer starts it again, without the servers it had.
func (a *AWS) StartBalancer(tb testing.TB) {
	tb.Helper()
	a.haproxy.start(tb)
}
