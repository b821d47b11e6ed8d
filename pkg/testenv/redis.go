package testenv

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"maskfleet/pkg/cache"
)

const (
	redisReadyIn = time.Minute // far more than it takes; machines may be busy
	redisTimeout = 5 * time.Second
)

// sharedRedis is the server of this test binary.
var sharedRedis = sync.OnceValues(newRedis)

// Redis gives the server that all tests of the binary share. Tests that empty or
// stop it take one of their own from NewRedis.
func Redis(tb testing.TB) cache.Config {
	tb.Helper()
	server, err := sharedRedis()
	if err != nil {
		tb.Fatal(err)
	}
	return server.Config()
}

// RedisServer is a Redis of its own, for tests that empty or stop it.
type RedisServer struct {
	dir     string
	port    int
	process *Process
}

// NewRedis starts a server for this test alone.
func NewRedis(tb testing.TB) *RedisServer {
	tb.Helper()
	server, err := newRedis()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(server.Kill)
	return server
}

func newRedis() (*RedisServer, error) {
	dir, err := serverDir("redis")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &RedisServer{dir: dir, port: port}
	return s, s.start()
}

// Config says where the server is. Its calls may take longer than the product's, for
// a busy machine is no outage; tests of an outage set their own Timeout.
func (s *RedisServer) Config() cache.Config {
	return cache.Config{Address: "127.0.0.1:" + strconv.Itoa(s.port), ResultTTL: 24 * time.Hour, Timeout: redisTimeout}
}

// Start starts the server again after Stop or Kill, with its data and address.
func (s *RedisServer) Start(tb testing.TB) {
	tb.Helper()
	if err := s.start(); err != nil {
		tb.Fatal(err)
	}
}

// Stop ends the server in order.
func (s *RedisServer) Stop() { s.process.Stop() }

// Kill ends the server with SIGKILL.
func (s *RedisServer) Kill() { s.process.Kill() }

// Freeze stops the server where it stands: connections stay, answers do not come.
func (s *RedisServer) Freeze() { s.process.Freeze() }

// Thaw lets a frozen server go on.
func (s *RedisServer) Thaw() { s.process.Signal(syscall.SIGCONT) }

// Empty deletes everything the server holds (FLUSHALL).
func (s *RedisServer) Empty(tb testing.TB) {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), "redis-cli", "-e", "-p", strconv.Itoa(s.port), "FLUSHALL").CombinedOutput()
	if err != nil {
		tb.Fatalf("emptying Redis (Debian: redis-tools): %v\n%s", err, out)
	}
}

func (s *RedisServer) start() error {
	process, err := StartProcess(exec.Command("redis-server",
		"--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.dir, "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
		"--maxmemory", "64mb", "--maxmemory-policy", "noeviction",
	))
	if err != nil {
		return fmt.Errorf("running redis-server (Debian: redis-server): %w", err)
	}
	s.process = process
	probe := cache.Open(s.Config())
	defer func() { _ = probe.Close() }()
	return process.ready(redisReadyIn, func(ctx context.Context) error { return probe.Ping(ctx) })
}
