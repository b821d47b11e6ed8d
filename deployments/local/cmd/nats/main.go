package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// readyLimit bounds the start, which reads back every stored message.
const readyLimit = time.Minute

func main() {
	opts, err := readOptions(os.Args[1:], os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "nats:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, opts); err != nil {
		fmt.Fprintln(os.Stderr, "nats:", err)
		os.Exit(1)
	}
}

// readOptions takes the user from the environment only: arguments are readable
// by every user of the machine. Without one, the broker asks for no log-in.
func readOptions(args []string, getenv func(string) string) (*server.Options, error) {
	flags := flag.NewFlagSet("nats", flag.ContinueOnError)
	address := flags.String("address", "127.0.0.1:4222", "host:port to listen on")
	store := flags.String("store", "", "folder of the streams")
	maxStore := flags.Int64("max-store", 4<<30, "bytes that all streams together may reserve")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *store == "" {
		return nil, errors.New("-store is required")
	}
	host, portText, err := net.SplitHostPort(*address)
	if err != nil {
		return nil, fmt.Errorf("reading -address: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("reading the port of -address: %w", err)
	}
	return &server.Options{
		ServerName:         "maskfleet-local",
		Host:               host,
		Port:               port,
		Username:           getenv("NATS_USER"),
		Password:           getenv("NATS_PASSWORD"),
		JetStream:          true,
		StoreDir:           *store,
		JetStreamMaxMemory: 64 << 20,
		JetStreamMaxStore:  *maxStore,
		NoSigs:             true, // signals are main's
	}, nil
}

func run(ctx context.Context, opts *server.Options) error {
	broker, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("making the broker: %w", err)
	}
	broker.ConfigureLogger()
	broker.Start()
	defer broker.WaitForShutdown()
	defer broker.Shutdown()
	if !broker.ReadyForConnections(readyLimit) {
		return fmt.Errorf("the broker was not ready within %s", readyLimit)
	}
	<-ctx.Done()
	return nil
}
