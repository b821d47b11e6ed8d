package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	s3Bucket    = "maskfleet"
	s3Region    = "eu-central-1"
	natsMaxData = 4 << 30 // bytes that all streams together may reserve
)

// redis gets its settings in a file, since its password must not stand among the
// arguments, where every user of the machine can read it.
func (s *Stack) redis() (spec, error) {
	program, err := systemProgram("redis-server")
	if err != nil {
		return spec{}, err
	}
	data := s.dataDir("redis")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return spec{}, err
	}
	settings := filepath.Join(s.runDir(), "redis.conf")
	if err := replaceFile(settings, []byte(redisConfig(port(s.at.redis), data, s.secrets.RedisPassword))); err != nil {
		return spec{}, fmt.Errorf("writing the settings of redis: %w", err)
	}
	return spec{
		program: program, args: []string{settings}, address: s.at.redis, dataDir: data,
		ready: redisReady(s.at.redis, s.secrets.RedisPassword), readyLimit: 30 * time.Second,
		stopSignal: syscall.SIGTERM, stopLimit: 10 * time.Second,
	}, nil
}

func redisConfig(port, data, password string) string {
	return strings.Join([]string{
		"bind 127.0.0.1",
		"port " + port,
		fmt.Sprintf("dir %q", data),
		"requirepass " + password,
		"daemonize no",
		"appendonly yes",
		"appendfsync everysec",
		`save ""`,
		"maxmemory 256mb",
		"maxmemory-policy volatile-lru",
	}, "\n") + "\n"
}

// natsOperator is the broker's user for people.
const natsOperator = "operator"

// natsUsers are those of accounts.conf who have passwords of their own.
func natsUsers() []string {
	return []string{"setup", "ingest", "worker", "manager", "scaler", natsOperator}
}

// nats tells the broker every user's password.
func (s *Stack) nats() (spec, error) {
	data := s.dataDir("nats")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return spec{}, err
	}
	env := make(map[string]string)
	for user, password := range s.secrets.NATSPasswords {
		// In quotation marks, since the broker might read one as a number.
		env["NATS_"+strings.ToUpper(user)+"_PASSWORD"] = strconv.Quote(password)
	}
	return spec{
		program: s.binary("nats"),
		args: []string{
			"-address", s.at.nats, "-monitor", s.at.natsMonitor, "-store", data, "-max-store", fmt.Sprint(natsMaxData),
			"-accounts", filepath.Join(s.options.Root, "deployments", "nats", "accounts.conf"),
		},
		env:     env,
		address: s.at.nats, dataDir: data,
		ready: greets(s.at.nats), readyLimit: time.Minute,
		stopSignal: syscall.SIGTERM, stopLimit: 15 * time.Second,
	}, nil
}

func (s *Stack) s3() (spec, error) {
	data := s.dataDir("s3")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return spec{}, err
	}
	return spec{
		program: s.binary("s3"),
		args:    []string{"-address", s.at.s3, "-dir", data, "-region", s3Region},
		env:     map[string]string{"S3_ACCESS_KEY": s.secrets.S3AccessKey, "S3_SECRET_KEY": s.secrets.S3SecretKey},
		address: s.at.s3, dataDir: data,
		ready: httpReady("http://" + s.at.s3 + "/healthz"), readyLimit: 30 * time.Second,
		stopSignal: syscall.SIGTERM, stopLimit: 10 * time.Second,
	}, nil
}
