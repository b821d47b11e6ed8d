// Command manager is the operators' dashboard.
package main

import (
	"context"
	"fmt"
	"os"

	"maskfleet/manager"
	"maskfleet/pkg/config"
	"maskfleet/pkg/lifecycle"
	"maskfleet/pkg/telemetry"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

func run() error {
	cfg, err := config.Load[manager.Config](os.Environ())
	if err != nil {
		return err
	}
	cfg.Telemetry.Service = "manager"
	tel := telemetry.New(cfg.Telemetry, os.Stdout)
	tel.Log.Info("starting", "settings", config.Describe(cfg))
	site, shut, err := manager.Open(context.Background(), cfg, tel)
	if err != nil {
		return err
	}
	defer shut()
	return lifecycle.Run(tel.Log, tel.Run, site.Run)
}
