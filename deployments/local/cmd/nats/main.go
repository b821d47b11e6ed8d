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
	opts, err := readOptions(os.Args[1:])
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

// readOptions takes the users' passwords from the environment, by the variables that
// the file of accounts names: arguments are readable by every user of the machine.
func readOptions(args []string) (*server.Options, error) {
	flags := flag.NewFlagSet("nats", flag.ContinueOnError)
	address := flags.String("address", "127.0.0.1:4222", "host:port to listen on")
	store := flags.String("store", "", "folder of the streams")
	accounts := flags.String("accounts", "", "file of accounts and users, in nats-server's form")
	maxStore := flags.Int64("max-store", 4<<30, "bytes that all streams together may reserve")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *store == "" || *accounts == "" {
		return nil, errors.New("-store and -accounts are required")
	}
	host, portText, err := net.SplitHostPort(*address)
	if err != nil {
		return nil, fmt.Errorf("reading -address: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("reading the port of -address: %w", err)
	}
	options, err := server.ProcessConfigFile(*accounts)
	if err != nil {
		return nil, fmt.Errorf("reading -accounts: %w", err)
	}
	options.ServerName = "maskfleet-local"
	options.Host, options.Port = host, port
	options.JetStream, options.StoreDir = true, *store
	options.JetStreamMaxMemory, options.JetStreamMaxStore = 64<<20, *maxStore
	options.NoSigs = true // signals are main's
	return options, nil
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
