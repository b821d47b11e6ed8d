package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	cfg, err := readConfig(os.Args[1:], os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "s3:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, cfg); err != nil {
		fmt.Fprintln(os.Stderr, "s3:", err)
		os.Exit(1)
	}
}

type config struct {
	Address   string // host:port
	Dir       string // holds objects/, accounts/ and, without extended attributes, attributes/
	Region    string
	AccessKey string
	SecretKey string
}

// readConfig takes keys from the environment only: arguments are readable by
// every user of the machine.
func readConfig(args []string, getenv func(string) string) (config, error) {
	cfg := config{AccessKey: getenv("S3_ACCESS_KEY"), SecretKey: getenv("S3_SECRET_KEY")}
	flags := flag.NewFlagSet("s3", flag.ContinueOnError)
	flags.StringVar(&cfg.Address, "address", "127.0.0.1:7070", "host:port to listen on")
	flags.StringVar(&cfg.Dir, "dir", "", "folder that keeps the objects")
	flags.StringVar(&cfg.Region, "region", "eu-central-1", "region that signatures must name")
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}
	if cfg.Dir == "" {
		return config{}, errors.New("-dir is required")
	}
	if cfg.AccessKey == "" || cfg.SecretKey == "" {
		return config{}, errors.New("S3_ACCESS_KEY and S3_SECRET_KEY are required")
	}
	return cfg, nil
}

func run(ctx context.Context, cfg config) error {
	store, err := openBackend(cfg.Dir)
	if err != nil {
		return err
	}
	accounts := filepath.Join(cfg.Dir, "accounts")
	if err := os.MkdirAll(accounts, 0o700); err != nil {
		return fmt.Errorf("making the accounts folder: %w", err)
	}
	err = embedgw.RunVersityGW(ctx, store, &embedgw.Config{
		RootUserAccess: cfg.AccessKey,
		RootUserSecret: cfg.SecretKey,
		Region:         cfg.Region,
		Ports:          []string{cfg.Address},
		// Past its limits the server answers SlowDown, as S3 does.
		MaxConnections:    4096,
		MaxRequests:       4096,
		MultipartMaxParts: 10000,
		Quiet:             true,
		KeepAlive:         true,
		HealthPath:        "/healthz",
		// Without an accounts folder an unknown access key is answered with a
		// code that S3 does not have.
		IAMDir: accounts,
		// The cache of accounts, left at its zero settings, is pruned without pause
		// and takes a whole core. There is one account, and it is not in there.
		IAMCacheDisable: true,
	})
	if ctx.Err() != nil {
		return nil // asked to stop
	}
	return err
}

// openBackend keeps S3's metadata in extended attributes where the file system
// has them, else in files beside the objects.
func openBackend(dir string) (backend.Backend, error) {
	objects := filepath.Join(dir, "objects")
	if err := os.MkdirAll(objects, 0o700); err != nil {
		return nil, fmt.Errorf("making the objects folder: %w", err)
	}
	opts := posix.PosixOpts{
		ValidateBucketNames: true,
		Concurrency:         256,
		CopyObjectThreshold: 5 << 30, // at zero, every CopyObject is refused
		NewFilePerm:         0o600,
	}
	attributes := filepath.Join(dir, "attributes")
	if !exists(attributes) && (meta.XattrMeta{}).Test(objects) == nil {
		return posix.New(objects, meta.XattrMeta{}, opts)
	}
	if err := os.MkdirAll(attributes, 0o700); err != nil {
		return nil, fmt.Errorf("making the attributes folder: %w", err)
	}
	sidecar, err := meta.NewSideCar(attributes)
	if err != nil {
		return nil, fmt.Errorf("opening the attributes folder: %w", err)
	}
	opts.SideCarDir = attributes
	return posix.New(objects, sidecar, opts)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
