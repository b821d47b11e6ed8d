// Command maskfleet sends photos to a front door and says, for every face in them,
// whether a mask is worn. Try: maskfleet help.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"maskfleet/pkg/client/command"
)

func main() {
	os.Exit(run())
}

func run() int {
	config, err := os.UserConfigDir()
	if err != nil {
		fmt.Fprintln(os.Stderr, "maskfleet:", err)
		return 3
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		fmt.Fprintln(os.Stderr, "maskfleet:", err)
		return 3
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	return command.Run(ctx, command.Surroundings{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, ConfigFolder: config, CacheFolder: cache,
	}, os.Args[1:])
}
