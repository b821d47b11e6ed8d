package command_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/testenv"
)

// soon is how long a test waits for what must happen; machines may be busy.
const soon = 2 * time.Minute

// desk is a broker and a database of the test's own, where the manager answers
// "maskfleet.jobs.find" and "maskfleet.jobs.paint".
type desk struct {
	broker *testenv.Server
	store  *jobstore.Store
	calls  chan command.Call // of paint
}

type paint struct {
	ID     string           `json:"id"`
	Colour string           `json:"colour,omitempty"`
	For    command.Duration `json:"for,omitzero"`
}

func (p paint) Concerns() string { return p.ID }

type painted struct {
	Painted int `json:"painted"`
}

func openDesk(t *testing.T) *desk {
	t.Helper()
	_, broker := testenv.NATS(t)
	d := &desk{broker: broker, store: openStore(t), calls: make(chan command.Call, 100)}
	server := d.serve(t, "manager")
	offer(t, server, command.Service{Name: "maskfleet-manager", Does: "answers", Stats: func() any { return map[string]int{"photos": 3} }},
		command.Read("jobs.find", "Finds a thing.", paint{ID: "a"}, painted{Painted: 1}, d.find),
		command.Change("jobs.paint", "Paints a thing.", paint{ID: "a", Colour: "red"}, painted{Painted: 1}, d.paint),
	)
	return d
}

func (d *desk) find(_ context.Context, q paint) (painted, error) {
	if q.ID != "a" {
		return painted{}, problem.New(404, problem.CodeNotFound, "There is no such thing.")
	}
	return painted{Painted: 1}, nil
}

func (d *desk) paint(ctx context.Context, call command.Call, q paint) (painted, error) {
	d.calls <- call
	switch q.Colour {
	case "fault":
		return painted{Painted: make([]int, 1)[len(q.Colour)]}, nil
	case "slow":
		<-ctx.Done()
		return painted{}, ctx.Err()
	case "gone":
		return painted{}, jobstore.ErrUnavailable
	}
	return painted{Painted: 1}, nil
}

// serve opens a connection for commands as a user of accounts.conf, which keeps its
// books as a service does.
func (d *desk) serve(t *testing.T, user string) *command.Server {
	t.Helper()
	cfg := d.broker.As(user)
	queue := openQueue(t, cfg)
	eventually(t, "streams made", func() bool { return openQueue(t, d.broker.As("setup")).Ensure(t.Context()) == nil })
	server, err := command.Open(cfg, d.store, queue, testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func offer(t *testing.T, server *command.Server, service command.Service, commands ...command.Command) (withdraw func()) {
	t.Helper()
	withdraw, err := server.Offer(service, commands...)
	if err != nil {
		t.Fatal(err)
	}
	return withdraw
}

func openStore(t *testing.T) *jobstore.Store {
	t.Helper()
	cfg := testenv.MariaDB(t)
	if err := jobstore.Migrate(t.Context(), cfg, testenv.Logger(t)); err != nil {
		t.Fatal(err)
	}
	store, err := jobstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func openQueue(t *testing.T, cfg jobqueue.Config) *jobqueue.Queue {
	t.Helper()
	queue, err := jobqueue.Open(t.Context(), cfg, testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(queue.Close)
	return queue
}

// person is a connection past our own code, as the nats command makes it.
func (d *desk) person(t *testing.T, user string) *nats.Conn {
	t.Helper()
	cfg := d.broker.As(user)
	options := []nats.Option{nats.UserInfo(cfg.User, cfg.Password)}
	if user != "operator" && user != testenv.NATSTester {
		options = append(options, nats.CustomInboxPrefix("_INBOX_"+user))
	}
	nc, err := nats.Connect(cfg.URL, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// ask types a command and gives what came back.
func ask(t *testing.T, nc *nats.Conn, subject, request string, header nats.Header) *nats.Msg {
	t.Helper()
	answer, err := nc.RequestMsg(&nats.Msg{Subject: subject, Header: header, Data: []byte(request)}, soon)
	if err != nil {
		t.Fatalf("%s %s: %v", subject, request, err)
	}
	return answer
}

// call is the next call of paint.
func (d *desk) call(t *testing.T) command.Call {
	t.Helper()
	select {
	case call := <-d.calls:
		return call
	case <-time.After(soon):
		t.Fatal("paint was not called")
		return command.Call{}
	}
}

// requestsOf is how many requests the endpoint has had.
func requestsOf(t *testing.T, nc *nats.Conn, endpoint string) int {
	t.Helper()
	var stats micro.Stats
	if err := json.Unmarshal(ask(t, nc, "$SRV.STATS.maskfleet-manager", "", nil).Data, &stats); err != nil {
		t.Fatal(err)
	}
	for _, e := range stats.Endpoints {
		if e.Name == endpoint {
			return e.NumRequests
		}
	}
	t.Fatalf("no endpoint %s in %+v", endpoint, stats)
	return 0
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(soon); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", soon, what)
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
}
