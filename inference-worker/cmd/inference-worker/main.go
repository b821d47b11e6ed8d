// Command inference-worker takes photos from the queue and has its slots look at them.
package main

import (
	"context"
	"fmt"
	"os"

	inferenceworker "maskfleet/inference-worker"
	"maskfleet/pkg/config"
	"maskfleet/pkg/instance"
	"maskfleet/pkg/lifecycle"
	"maskfleet/pkg/telemetry"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "inference-worker:", err)
		os.Exit(1)
	}
}

func run() error {
	cfg, err := config.Load[inferenceworker.Config](os.Environ())
	if err != nil {
		return err
	}
	cfg.Telemetry.Service = "inference-worker"
	tel := telemetry.New(cfg.Telemetry, os.Stdout)
	if cfg.Instance.LeavesOut(instance.RoleWorker, tel.Log) {
		return nil
	}
	tel.Log.Info("starting", "settings", config.Describe(cfg))
	worker, shut, err := inferenceworker.Open(context.Background(), cfg, tel)
	if err != nil {
		return err
	}
	defer shut()
	return lifecycle.Run(tel.Log, tel.Run, worker.Run)
}
