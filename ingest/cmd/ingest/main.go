// Command ingest is the front door: it takes photos in and gives results out.
package main

import (
	"context"
	"fmt"
	"os"

	"maskfleet/ingest"
	"maskfleet/pkg/config"
	"maskfleet/pkg/instance"
	"maskfleet/pkg/lifecycle"
	"maskfleet/pkg/telemetry"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ingest:", err)
		os.Exit(1)
	}
}

func run() error {
	cfg, err := config.Load[ingest.Config](os.Environ())
	if err != nil {
		return err
	}
	cfg.Telemetry.Service = "ingest"
	tel := telemetry.New(cfg.Telemetry, os.Stdout)
	if cfg.Instance.LeavesOut(instance.RoleIngest, tel.Log) {
		return nil
	}
	tel.Log.Info("starting", "settings", config.Describe(cfg))
	door, shut, err := ingest.Open(context.Background(), cfg, tel)
	if err != nil {
		return err
	}
	defer shut()
	return lifecycle.Run(tel.Log, tel.Run, door.Run)
}
