package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"maskfleet/pkg/build"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/internal/connect"
)

const (
	prefix       = "maskfleet" // before every command's path
	versionForm  = "0.0.0+"    // before the revision: the framework wants a version of this form
	offerTimeout = 2 * time.Second
)

// Server answers commands over a connection of its own, whose user may do nothing but
// answer. It is safe for concurrent use.
type Server struct {
	nc     *nats.Conn
	books  *books
	log    *slog.Logger
	closed chan struct{} // closed by the library when the connection is gone for good
	close  sync.Once
}

// Open makes the connection, which is kept like a Queue's. The records of what was
// done go to the recorder and the announcer.
func Open(cfg jobqueue.Config, records recorder, events announcer, log *slog.Logger) (*Server, error) {
	s := &Server{books: &books{records: records, events: events, log: log}, log: log, closed: make(chan struct{})}
	var err error
	s.nc, err = connect.Dial(cfg.CommandLogin(), log, nats.ClosedHandler(func(*nats.Conn) { close(s.closed) }))
	if err != nil {
		return nil, fmt.Errorf("opening for commands: %w", err)
	}
	return s, nil
}

// Close answers what was asked already and ends the connection, within seconds. A
// second call does nothing.
func (s *Server) Close() {
	s.close.Do(func() {
		if err := s.nc.Drain(); err != nil {
			s.nc.Close()
		}
		select {
		case <-s.closed:
		case <-time.After(2 * connect.DrainTimeout):
			s.nc.Close()
		}
	})
}

// Service is a set of commands under one name.
type Service struct {
	Name string // in `nats micro ls`: "maskfleet-worker"
	Does string
	// Area stands between "maskfleet." and the commands' paths, and in the audit log
	// before them: "worker". Empty for none.
	Area string
	// Member, if there are many of the service, is which: its commands have it in their
	// subjects, behind the area, and are about it. One word.
	Member   string
	Metadata map[string]string
	// Stats are the service's own numbers, shown by `nats micro stats`; nil for none.
	Stats func() any
}

// Offer answers the commands until withdraw, which answers what was asked already. Of
// several processes that offer the same subject, one answers each request.
func (s *Server) Offer(service Service, commands ...Command) (withdraw func(), err error) {
	config := micro.Config{
		Name: service.Name, Description: service.Does, Version: versionForm + build.Revision(), Metadata: service.Metadata,
		ErrorHandler: func(_ micro.Service, err *micro.NATSError) { s.log.Warn("commands are not heard", "err", err) },
	}
	if service.Stats != nil {
		config.StatsHandler = func(*micro.Endpoint) any { return service.Stats() }
	}
	offered, err := micro.AddService(s.nc, config)
	if err != nil {
		return nil, fmt.Errorf("offering %s: %w", service.Name, err)
	}
	for _, c := range commands {
		err = errors.Join(err, s.add(offered, service, c))
	}
	withdraw = func() {
		if err := offered.Stop(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
			s.log.Warn("commands not withdrawn", "service", service.Name, "err", err)
		}
	}
	if err != nil {
		withdraw()
		return nil, fmt.Errorf("offering %s: %w", service.Name, err)
	}
	// From here on it is there for everybody; of a broker that is away, when it is back.
	if err := s.nc.FlushTimeout(offerTimeout); err != nil {
		s.log.Warn("commands are not offered yet", "service", service.Name, "err", err)
	}
	return withdraw, nil
}

func (s *Server) add(offered micro.Service, service Service, c Command) error {
	metadata, err := c.metadata()
	if err != nil {
		return fmt.Errorf("describing %s: %w", c.Path, err)
	}
	if c.Timeout == 0 {
		c.Timeout = usualTimeout
	}
	answering := &answering{command: c, service: service, books: s.books, log: s.log}
	return offered.AddEndpoint(c.name(), micro.HandlerFunc(func(r micro.Request) {
		ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
		defer cancel()
		answering.answer(ctx, r)
	}), micro.WithEndpointSubject(service.subject(c)), micro.WithEndpointMetadata(metadata))
}

func (s Service) subject(c Command) string { return join(prefix, s.Area, s.Member, c.Path) }

// action is the command's name in the audit log.
func (s Service) action(c Command) string { return join(s.Area, c.Path) }

func join(parts ...string) string {
	var there []string
	for _, part := range parts {
		if part != "" {
			there = append(there, part)
		}
	}
	return strings.Join(there, ".")
}
