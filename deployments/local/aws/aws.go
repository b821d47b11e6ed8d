package aws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"maskfleet/deployments/local/aws/cloudwatch"
	"maskfleet/deployments/local/aws/ec2"
	"maskfleet/deployments/local/aws/elb"
	"maskfleet/deployments/local/aws/faults"
	"maskfleet/deployments/local/aws/host"
	"maskfleet/deployments/local/aws/wire"
)

// AWS is the API of all services.
type AWS struct {
	config  Config
	log     *slog.Logger
	compute *ec2.EC2
	balance *elb.ELB
	metrics *cloudwatch.CloudWatch
	faults  *faults.Set
}

// Open reads what was kept and asks the host, which must run.
func Open(ctx context.Context, config Config, log *slog.Logger) (*AWS, error) {
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder: %w", err)
	}
	a := &AWS{config: config, log: log, faults: &faults.Set{}}
	var err error
	a.compute, err = ec2.Open(ctx, ec2.Config{
		Dir: config.Dir, Region: config.Region, AccountID: config.AccountID,
		Images: config.Images, KeyPairs: config.KeyPairs, Roles: config.Roles,
		Timing: ec2.Timing{
			Pending: time.Duration(config.Pending), Boot: time.Duration(config.Boot),
			Shutdown: time.Duration(config.Shutdown), Forgotten: time.Duration(config.Forgotten),
		},
	}, host.NewClient(config.Host), a.faults, log)
	if err != nil {
		return nil, fmt.Errorf("opening EC2: %w", err)
	}
	vpc, subnets := a.compute.Network()
	a.balance, err = elb.Open(elb.Config{
		Dir: config.Dir, Region: config.Region, AccountID: config.AccountID, VPC: vpc, Subnets: subnets,
		Balancers: config.Balancers, Entrances: config.Entrances, Speed: config.Speed,
	}, a.compute, log)
	if err != nil {
		return nil, fmt.Errorf("opening Elastic Load Balancing: %w", err)
	}
	a.metrics, err = cloudwatch.Open(config.Dir, log)
	if err != nil {
		return nil, fmt.Errorf("opening CloudWatch: %w", err)
	}
	return a, nil
}

// Services are all that can be asked for.
func (a *AWS) Services() []wire.Service {
	return []wire.Service{a.compute.Service(), a.balance.Service(), a.metrics.Service()}
}

// Run serves until ctx ends. Instances and balancers then go on.
func (a *AWS) Run(ctx context.Context) error {
	api := &wire.Server{Services: a.Services(), Keys: a.config.Keys, Gate: a.faults, Log: a.log}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(ctx, a.config.Listen, api) })
	group.Go(func() error {
		return serve(ctx, a.config.Control, faults.Handler(a.faults, actions{a.compute, a.balance}))
	})
	group.Go(func() error { return a.compute.Run(ctx) })
	group.Go(func() error { return a.balance.Run(ctx) })
	group.Go(func() error { return a.monitor(ctx) })
	return errors.Join(group.Wait(), a.metrics.Close())
}

// actions are what the control address can do.
type actions struct {
	*ec2.EC2
	balance *elb.ELB
}

// LoseTargetGroup deletes one as somebody else might.
func (a actions) LoseTargetGroup(name string) error { return a.balance.LoseTargetGroup(name) }

// stopLimit is how long calls under way may take once the API stops.
const stopLimit = 2 * time.Second

func serve(ctx context.Context, address string, handler http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		stopped <- server.Shutdown(limit)
	})
	err = server.Serve(listener)
	if stop() { // it stopped by itself
		return fmt.Errorf("serving %s: %w", address, err)
	}
	if err := <-stopped; !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
