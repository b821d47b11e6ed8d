package testenv

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"maskfleet/pkg/config"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/testenv/reserve"
)

const (
	natsReadyIn  = 20 * time.Second // far more than it takes; machines may be busy
	natsMaxStore = 4 << 30          // what the streams may reserve, not what they use
)

// NATSTester is the test's own user on its broker, who may do everything but answer
// commands.
const NATSTester = "tester"

const natsPassword = "of a test" // of every user

// Server is a nats-server with JetStream on disk, in this process, with the accounts
// and users of deployments/nats/accounts.conf and a tester who may do everything. Its
// address and its store stay the same over restarts.
type Server struct {
	tb       testing.TB
	store    string
	port     int
	accounts string // what accounts.conf says

	mu     sync.Mutex // guards broker
	broker *server.Server
}

// NATS starts a broker of the test's own (a few milliseconds) and gives the
// tester's settings to reach it; those of a service are its As. There are no streams on it yet: see jobqueue's Ensure.
func NATS(tb testing.TB) (jobqueue.Config, *Server) {
	tb.Helper()
	return NATSAt(tb, tb.TempDir(), reserve.Port(tb))
}

// NATSAt is NATS on a store and a port of the caller's choice.
func NATSAt(tb testing.TB, store string, port int) (jobqueue.Config, *Server) {
	tb.Helper()
	accounts, err := natsAccounts()
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{tb: tb, store: store, port: port, accounts: accounts}
	s.Start()
	tb.Cleanup(s.Stop)
	return s.As(NATSTester), s
}

// As gives the settings of one of the users of accounts.conf.
func (s *Server) As(user string) jobqueue.Config {
	s.tb.Helper()
	return NATSLogin(s.tb, s.port, user)
}

// NATSLogin gives a user's settings for a test's broker at the port.
func NATSLogin(tb testing.TB, port int, user string) jobqueue.Config {
	tb.Helper()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	cfg, err := config.Load[jobqueue.Config]([]string{
		"NATS_URL=nats://" + address, "NATS_USER=" + user, "NATS_PASSWORD=" + natsPassword,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return cfg
}

// natsAccounts is accounts.conf with every password set.
func natsAccounts() (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(root, "deployments", "nats", "accounts.conf"))
	if err != nil {
		return "", fmt.Errorf("reading the broker's users: %w", err)
	}
	var passwords strings.Builder
	for _, user := range []string{"SETUP", "INGEST", "WORKER", "MANAGER", "SCALER", "OPERATOR"} {
		fmt.Fprintf(&passwords, "NATS_%s_PASSWORD: %q\n", user, natsPassword)
	}
	return passwords.String() + string(text), nil
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
	options, err := s.options()
	if err != nil {
		s.tb.Fatal(err)
	}
	// The port may have gone to somebody's outgoing connection for a moment.
	for deadline := time.Now().Add(natsReadyIn); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if s.broker, err = startBroker(options); err == nil {
			return
		}
	}
	s.tb.Fatal(err)
}

func startBroker(options *server.Options) (*server.Server, error) {
	if l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(options.Port))); err != nil {
		return nil, fmt.Errorf("starting nats: %w", err)
	} else if err := l.Close(); err != nil {
		return nil, fmt.Errorf("starting nats: %w", err)
	}
	broker, err := server.NewServer(options)
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

func (s *Server) options() (*server.Options, error) {
	options := &server.Options{}
	if err := options.ProcessConfigString(s.accounts); err != nil {
		return nil, fmt.Errorf("reading the broker's users: %w", err)
	}
	for _, account := range options.Accounts {
		if account.Name == "MASKFLEET" {
			options.Users = append(options.Users, &server.User{Username: NATSTester, Password: natsPassword, Account: account})
		}
	}
	options.ServerName = "maskfleet-test"
	options.Host, options.Port = "127.0.0.1", s.port
	options.JetStream, options.StoreDir, options.JetStreamMaxStore = true, s.store, natsMaxStore
	options.NoSigs, options.NoLog = true, true
	return options, nil
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
