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
	smtp := flag.String("smtp", "127.0.0.1:0", "host:port on which mail is caught")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *address, *smtp, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "outside:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address, smtp, dir string) error {
	if dir == "" {
		return errors.New("-dir is required")
	}
	listener, err := listen("-address", address)
	if err != nil {
		return err
	}
	letters, err := listen("-smtp", smtp)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	fmt.Println("serving", dir, "at", "http://"+listener.Addr().String(), "and catching webhooks there, and mail at", letters.Addr().String())
	return serve(ctx, listener, letters, dir)
}

// serve ends both when one ends.
func serve(ctx context.Context, listener, letters net.Listener, dir string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	caught := &outside.Mailbox{}
	ended := make(chan error, 1)
	go func() {
		defer stop()
		ended <- caught.Serve(ctx, letters)
	}()
	err := outside.Serve(ctx, listener, dir, caught, &outside.Hooks{})
	stop()
	return errors.Join(err, <-ended)
}

func listen(option, address string) (net.Listener, error) {
	if at, err := netip.ParseAddrPort(address); err != nil || !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("%s %q is not a loopback address with a port", option, address)
	}
	return net.Listen("tcp", address)
}
