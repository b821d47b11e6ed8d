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
	monitor := flags.String("monitor", "", "host:port of the monitor, on loopback; empty: there is none")
	store := flags.String("store", "", "folder of the streams")
	accounts := flags.String("accounts", "", "file of accounts and users, in nats-server's form")
	maxStore := flags.Int64("max-store", 4<<30, "bytes that all streams together may reserve")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *store == "" || *accounts == "" {
		return nil, errors.New("-store and -accounts are required")
	}
	options, err := server.ProcessConfigFile(*accounts)
	if err != nil {
		return nil, fmt.Errorf("reading -accounts: %w", err)
	}
	options.ServerName = "maskfleet-local"
	if options.Host, options.Port, err = hostPort(*address); err != nil {
		return nil, fmt.Errorf("reading -address: %w", err)
	}
	if *monitor != "" {
		if options.HTTPHost, options.HTTPPort, err = hostPort(*monitor); err != nil {
			return nil, fmt.Errorf("reading -monitor: %w", err)
		}
	}
	options.JetStream, options.StoreDir = true, *store
	options.JetStreamMaxMemory, options.JetStreamMaxStore = 64<<20, *maxStore
	options.NoSigs = true // signals are main's
	return options, nil
}

func hostPort(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
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
