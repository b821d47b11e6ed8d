package testenv

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"sync"
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
type RedisServer struct{ child }

// NewRedis starts a server for this test alone.
func NewRedis(tb testing.TB) *RedisServer {
	tb.Helper()
	return startedFor(tb, newRedis)
}

func newRedis() (*RedisServer, error) {
	c, err := newChild("redis")
	if err != nil {
		return nil, err
	}
	s := &RedisServer{c}
	s.run = s.runProcess
	return s, s.start()
}

// Config says where the server is. Its calls may take longer than the product's, for
// a busy machine is no outage; tests of an outage set their own Timeout.
func (s *RedisServer) Config() cache.Config {
	return cache.Config{Address: "127.0.0.1:" + strconv.Itoa(s.port), ResultTTL: 24 * time.Hour, Timeout: redisTimeout}
}

// Empty deletes everything the server holds (FLUSHALL).
func (s *RedisServer) Empty(tb testing.TB) {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), "redis-cli", "-e", "-p", strconv.Itoa(s.port), "FLUSHALL").CombinedOutput()
	if err != nil {
		tb.Fatalf("emptying Redis (Debian: redis-tools): %v\n%s", err, out)
	}
}

func (s *RedisServer) runProcess() (*Process, error) {
	process, err := StartProcess(exec.Command("redis-server",
		"--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.dir, "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
		"--maxmemory", "64mb", "--maxmemory-policy", "noeviction",
	))
	if err != nil {
		return nil, fmt.Errorf("running redis-server (Debian: redis-server): %w", err)
	}
	probe := cache.Open(s.Config())
	defer func() { _ = probe.Close() }()
	return process, process.ready(redisReadyIn, func(ctx context.Context) error { return probe.Ping(ctx) })
}
