package scaler

import (
	"context"
	"errors"
	"fmt"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/lifecycle"
	"maskfleet/pkg/telemetry"
)

// Doors are what the scaler reads and steers. Whoever opened them closes them, after
// Run.
type Doors struct {
	Store   *jobstore.Store
	Queue   *jobqueue.Queue
	Fleet   *fleet.Fleet
	Answers *command.Server
}

// Service is one scaler, of perhaps several.
type Service struct {
	cfg     Config
	tel     *telemetry.Telemetry
	doors   Doors
	lease   *lease
	senses  *senses
	metrics metrics
}

// New makes a scaler on doors that are open already.
func New(cfg Config, doors Doors, tel *telemetry.Telemetry) (*Service, error) {
	id, err := job.NewID()
	if err != nil {
		return nil, fmt.Errorf("naming the scaler: %w", err)
	}
	s := &Service{cfg: cfg, tel: tel, doors: doors, metrics: newMetrics(tel.Registry)}
	s.lease = newLease(doors.Queue, "scaler-"+id.String(), cfg, tel.Log)
	s.senses = newSenses(cfg, doors, s.lease.leading, tel.Log)
	return s, nil
}

// Open opens every door and makes a scaler on them. It waits up to cfg.OpenWait for
// MySQL, the broker and EC2 to be there once; later they may come and go. The returned
// function closes them, after Run.
func Open(ctx context.Context, cfg Config, tel *telemetry.Telemetry) (*Service, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.OpenWait)
	defer cancel()
	var doors Doors
	err := lifecycle.Patiently(ctx, tel.Log, "mysql", func() (err error) { doors.Store, err = jobstore.Open(ctx, cfg.MySQL); return err })
	if err == nil {
		err = lifecycle.Patiently(ctx, tel.Log, "nats", func() (err error) { doors.Queue, err = jobqueue.Open(ctx, cfg.Queue, tel.Log); return err })
	}
	if err == nil {
		err = lifecycle.Patiently(ctx, tel.Log, "ec2", func() (err error) {
			doors.Fleet, err = fleet.Open(ctx, cfg.Fleet, doors.Store, tel.Log, tel.Registry)
			return err
		})
	}
	if err == nil {
		doors.Answers, err = command.Open(cfg.Queue, doors.Store, doors.Queue, tel.Log)
	}
	var s *Service
	if err == nil {
		s, err = New(cfg, doors, tel)
	}
	if err != nil {
		return nil, nil, errors.Join(err, doors.close())
	}
	return s, func() {
		if err := doors.close(); err != nil {
			tel.Log.Warn("doors not closed", "err", err)
		}
	}, nil
}

func (d *Doors) close() error {
	if d.Answers != nil {
		d.Answers.Close()
	}
	if d.Queue != nil {
		d.Queue.Close()
	}
	if d.Store != nil {
		return d.Store.Close()
	}
	return nil
}

// Run observes, and decides and acts whenever the lease is held, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	return lifecycle.Beneath(ctx, s.compete, s.senses.Run)
}

// compete leads whenever the lease is held, and stands by while it is not.
func (s *Service) compete(ctx context.Context) error {
	withdraw := s.standBy(ctx)
	defer func() { withdraw() }()
	return s.lease.Run(ctx, func(leading context.Context) {
		withdraw()
		s.lead(leading)
		if ctx.Err() == nil {
			withdraw = s.standBy(ctx)
		}
	})
}
