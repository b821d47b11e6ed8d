package testenv

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"maskfleet/pkg/config"
	"maskfleet/pkg/jobqueue"
)

const (
	natsReadyIn  = 20 * time.Second // far more than it takes; machines may be busy
	natsMaxStore = 4 << 30          // what the streams may reserve, not what they use
)

// Server is a nats-server with JetStream on disk, in this process. Its address and
// its store stay the same over restarts.
type Server struct {
	tb    testing.TB
	store string
	port  int

	mu     sync.Mutex // guards broker
	broker *server.Server
}

// NATS starts a broker of the test's own (a few milliseconds) and gives the
// settings to reach it. There are no streams on it yet: see jobqueue's Ensure.
func NATS(tb testing.TB) (jobqueue.Config, *Server) {
	tb.Helper()
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	return NATSAt(tb, tb.TempDir(), port)
}

// NATSAt is NATS on a store and a port of the caller's choice.
func NATSAt(tb testing.TB, store string, port int) (jobqueue.Config, *Server) {
	tb.Helper()
	s := &Server{tb: tb, store: store, port: port}
	s.Start()
	tb.Cleanup(s.Stop)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	cfg, err := config.Load[jobqueue.Config]([]string{"NATS_URL=nats://" + address})
	if err != nil {
		tb.Fatal(err)
	}
	return cfg, s
}

// Start starts the broker and returns when it takes connections. Of one that runs
// it is a second, harmless call.
func (s *Server) Start() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broker != nil {
		return
	}
	var err error
	// The port may have gone to somebody's outgoing connection for a moment.
	for deadline := time.Now().Add(natsReadyIn); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if s.broker, err = startBroker(s.store, s.port); err == nil {
			return
		}
	}
	s.tb.Fatal(err)
}

func startBroker(store string, port int) (*server.Server, error) {
	if l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err != nil {
		return nil, fmt.Errorf("starting nats: %w", err)
	} else if err := l.Close(); err != nil {
		return nil, fmt.Errorf("starting nats: %w", err)
	}
	broker, err := server.NewServer(&server.Options{
		ServerName:        "maskfleet-test",
		Host:              "127.0.0.1",
		Port:              port,
		JetStream:         true,
		StoreDir:          store,
		JetStreamMaxStore: natsMaxStore,
		NoSigs:            true,
		NoLog:             true,
	})
	if err != nil {
		return nil, fmt.Errorf("starting nats: %w", err)
	}
	broker.Start()
	if !broker.ReadyForConnections(natsReadyIn) {
		stopBroker(broker)
		return nil, fmt.Errorf("starting nats: not ready within %s", natsReadyIn)
	}
	return broker, nil
}

// Stop stops the broker in good order and returns when it is gone. Of one that
// does not run it does nothing.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broker != nil {
		stopBroker(s.broker)
		s.broker = nil
	}
}

func stopBroker(broker *server.Server) {
	broker.Shutdown()
	broker.WaitForShutdown()
}

// Restart stops the broker and starts it on the same store.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	s.Start()
}

// DeleteStore stops the broker, removes everything it stored and starts it empty.
func (s *Server) DeleteStore() {
	s.tb.Helper()
	s.Stop()
	if err := os.RemoveAll(filepath.Join(s.store, "jetstream")); err != nil {
		s.tb.Fatal(err)
	}
	s.Start()
}
