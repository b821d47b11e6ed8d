// Command scaler sizes the fleet.
package main

import (
	"context"
	"fmt"
	"os"

	"maskfleet/pkg/config"
	"maskfleet/pkg/lifecycle"
	"maskfleet/pkg/telemetry"
	"maskfleet/scaler"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "scaler:", err)
		os.Exit(1)
	}
}

func run() error {
	cfg, err := config.Load[scaler.Config](os.Environ())
	if err != nil {
		return err
	}
	cfg.Telemetry.Service = "scaler"
	tel := telemetry.New(cfg.Telemetry, os.Stdout)
	tel.Log.Info("starting", "settings", config.Describe(cfg))
	s, shut, err := scaler.Open(context.Background(), cfg, tel)
	if err != nil {
		return err
	}
	defer shut()
	return lifecycle.Run(tel.Log, tel.Run, s.Run)
}
