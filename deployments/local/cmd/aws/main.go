package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"maskfleet/deployments/local/aws"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := aws.Main(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		os.Exit(1)
	}
}
