package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"maskfleet/pkg/config"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/telemetry"
)

// Config says what is set up, and who may then log in.
type Config struct {
	Telemetry telemetry.Config
	Store     jobstore.Config
	Queue     jobqueue.Config
	Images    imagestore.Config

	AdminName string `env:"SETUP_ADMIN_NAME" envDefault:"admin"`
	// AdminPassword is for the first administrator; empty: a random one, printed.
	AdminPassword string `env:"SETUP_ADMIN_PASSWORD" secret:"true"`
	// APIKey is first, for a key with the first administrator, or new, for one
	// more key now.
	APIKey string `env:"SETUP_API_KEY" envDefault:"first"`
}

const (
	keyFirst = "first"
	keyNew   = "new"
)

// Validate says what is wrong with the settings, all of it at once.
func (c *Config) Validate() error {
	errs := []error{c.Telemetry.Validate(), c.Store.Validate(), c.Queue.Validate(), c.Images.Validate()}
	if c.APIKey != keyFirst && c.APIKey != keyNew {
		errs = append(errs, fmt.Errorf("SETUP_API_KEY must be %s or %s", keyFirst, keyNew))
	}
	return errors.Join(errs...)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}

// run prints one line of JSON to the standard output, for scripts; the log goes
// to the standard error.
func run(ctx context.Context) error {
	cfg, err := config.Load[Config](os.Environ())
	if err != nil {
		return err
	}
	cfg.Telemetry.Service = "setup"
	made, err := setUp(ctx, cfg, telemetry.New(cfg.Telemetry, os.Stderr).Log)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(made)
}
