package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"maskfleet/deployments/local/outside"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "host:port to listen on")
	dir := flag.String("dir", "", "folder of the photos")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *address, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "outside:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address, dir string) error {
	if dir == "" {
		return errors.New("-dir is required")
	}
	if at, err := netip.ParseAddrPort(address); err != nil || !at.Addr().IsLoopback() {
		return fmt.Errorf("-address %q is not a loopback address with a port", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("serving", dir, "at", "http://"+listener.Addr().String())
	return outside.Serve(ctx, listener, dir)
}
