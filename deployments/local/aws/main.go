package aws

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"maskfleet/deployments/local/aws/host"
)

// Main is the program: one of its two processes, until ctx ends.
func Main(ctx context.Context, args []string) error {
	const usage = "usage: aws api -config FILE, or aws host -dir DIR -socket FILE [-shutdown DURATION]"
	if len(args) == 0 {
		return errors.New(usage)
	}
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	switch args[0] {
	case "api":
		path := flags.String("config", "", "settings, as JSON")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return runAPI(ctx, *path, log)
	case "host":
		dir := flags.String("dir", "", "folder of what machines print")
		socket := flags.String("socket", "", "where the API finds it")
		shutdown := flags.Duration("shutdown", 30*time.Second, "that machines have to end by themselves when the host is asked to stop")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if *dir == "" || *socket == "" {
			return errors.New(usage)
		}
		return runHost(ctx, *dir, *socket, *shutdown, log)
	default:
		return errors.New(usage)
	}
}

func runAPI(ctx context.Context, path string, log *slog.Logger) error {
	config, err := LoadConfig(path)
	if err != nil {
		return err
	}
	api, err := Open(ctx, config, log)
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "serving", "api", config.Listen, "control", config.Control)
	return api.Run(ctx)
}

// runHost answers to the end, so that the API hears when each machine is gone.
func runHost(ctx context.Context, dir, socket string, shutdown time.Duration, log *slog.Logger) error {
	machines, err := host.Open(dir, log)
	if err != nil {
		return err
	}
	defer machines.Close()
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	var group errgroup.Group
	group.Go(func() error {
		defer stop()
		return machines.Serve(serving, socket)
	})
	select {
	case <-ctx.Done():
		machines.ShutDownAll(shutdown)
		stop()
	case <-serving.Done():
	}
	return group.Wait()
}
