package stack_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"maskfleet/deployments/local/stack"
)

func TestStackStartsStopsAndFindsItsSecretsAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startStores(t, dir)
	info, err := stack.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mariadb", "redis", "nats", "s3"} {
		part := s.Part(name)
		if pid := info.Parts[name].PID; pid == 0 || pid != part.PID() {
			t.Errorf("stack.json gives %s pid %d, it has %d", name, pid, part.PID())
		}
		if part.Address() == "" || part.DataDir() == "" {
			t.Errorf("%s: address %q, data %q", name, part.Address(), part.DataDir())
		}
	}
	if mode := fileMode(t, filepath.Join(dir, "stack.json")); mode != 0o600 {
		t.Errorf("stack.json has mode %o, want 600", mode)
	}
	if _, err := stack.Start(t.Context(), storesIn(t, dir)); !errors.Is(err, stack.ErrRunning) {
		t.Errorf("second start of the same folder: %v, want ErrRunning", err)
	}
	stop(t, s)
	if _, err := os.Stat(filepath.Join(dir, "stack.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stack.json after stop: %v", err)
	}
	if _, running := stack.Running(dir); running {
		t.Error("stack still counts as running after stop")
	}

	again := startStores(t, dir)
	defer stop(t, again)
	if diff := cmp.Diff(info.MySQL.Password, again.Info().MySQL.Password); diff != "" {
		t.Errorf("password of the second start (-first +second):\n%s", diff)
	}
}

func TestRestartedPartKeepsAddressAndData(t *testing.T) {
	t.Parallel()
	s := startStores(t, t.TempDir())
	defer stop(t, s)
	redis := s.Part("redis")
	address, pid := redis.Address(), redis.PID()
	askRedis(t, s, "SET kept yes", "+OK")

	if err := s.Restart(t.Context(), "redis"); err != nil {
		t.Fatal(err)
	}
	if redis.Address() != address || redis.PID() == pid || redis.PID() == 0 {
		t.Errorf("restarted at %s with pid %d, was %s with %d", redis.Address(), redis.PID(), address, pid)
	}
	askRedis(t, s, "GET kept", "$3")

	if err := s.Kill("redis", syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if redis.PID() != 0 {
		t.Error("killed part still has a pid")
	}
	if err := s.StartPart(t.Context(), "redis"); err != nil {
		t.Fatal(err)
	}
	askRedis(t, s, "PING", "+PONG")
}

func TestTakenPortMovesToAFreeOne(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	options := storesIn(t, t.TempDir())
	options.Without = append(options.Without, "mariadb", "redis", "s3")
	options.Ports.NATS = taken.Addr().(*net.TCPAddr).Port
	s, err := stack.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, s)
	if got := s.Part("nats").Address(); got == taken.Addr().String() {
		t.Errorf("broker is at the taken address %s", got)
	}
}

func TestPartThatDoesNotStartIsNamedWithItsLastLines(t *testing.T) {
	t.Parallel()
	options := storesIn(t, t.TempDir())
	options.Without = append(options.Without, "mariadb", "redis", "nats")
	options.Env = map[string]map[string]string{"s3": {"S3_ACCESS_KEY": ""}}
	_, err := stack.Start(t.Context(), options)
	var failed *stack.StartError
	if !errors.As(err, &failed) || failed.Part != "s3" {
		t.Fatalf("got %v, want a StartError of s3", err)
	}
	if !strings.Contains(strings.Join(failed.Log, "\n"), "S3_ACCESS_KEY") {
		t.Errorf("log lines %q do not name the missing key", failed.Log)
	}
	if _, running := stack.Running(options.Dir); running {
		t.Error("folder is still taken after a failed start")
	}
}

func TestSupervisedPartComesBack(t *testing.T) {
	t.Parallel()
	options := storesIn(t, t.TempDir())
	options.Without = append(options.Without, "mariadb", "nats", "s3")
	s, err := stack.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	lines := make(chan string, 100)
	supervised := make(chan error, 1)
	go func() { supervised <- s.Supervise(ctx, func(line string) { lines <- line }) }()
	if err := s.Kill("redis", syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for line := range lines {
		if line == "redis is back" {
			break
		}
	}
	askRedis(t, s, "PING", "+PONG")
	cancel()
	if err := <-supervised; err != nil {
		t.Error(err)
	}
}

// TestKilledLauncherLeavesNoChild starts a stack in a second process, this test
// binary itself, and kills that.
func TestKilledLauncherLeavesNoChild(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := builtPrograms(); err != nil {
		t.Fatal(err)
	}
	launcher := exec.Command(os.Args[0], "-test.run=^TestLauncherProcess$")
	launcher.Env = append(os.Environ(), launcherDir+"="+dir)
	launcher.Stderr = os.Stderr
	output, err := launcher.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := launcher.Start(); err != nil {
		t.Fatal(err)
	}
	var info stack.Info
	var said bytes.Buffer
	if err := json.NewDecoder(io.TeeReader(output, &said)).Decode(&info); err != nil {
		_, _ = said.ReadFrom(output) // it has ended by itself, and says why
		t.Fatalf("launcher did not say what it started: %v; it said:\n%s", err, said.String())
	}
	if err := launcher.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = launcher.Wait()
	for name, part := range info.Parts {
		awaitGone(t, name, part.PID)
	}
	if _, running := stack.Running(dir); running {
		t.Error("stack of a killed launcher counts as running")
	}
	stop(t, startStores(t, dir)) // nothing left over is in the way
}

const launcherDir = "MASKFLEET_TEST_LAUNCHER_DIR"

// TestLauncherProcess is the second process of the test above, and passes at
// once everywhere else.
func TestLauncherProcess(t *testing.T) {
	dir := os.Getenv(launcherDir)
	if dir == "" {
		return
	}
	s, err := stack.Start(t.Context(), storesIn(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(s.Info()); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	select {}
}

func awaitGone(t *testing.T, name string, pid int) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%s, pid %d, outlived its launcher", name, pid)
}

func askRedis(t *testing.T, s *stack.Stack, command, want string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Part("redis").Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "AUTH "+s.Info().Redis.Password+"\r\n"+command+"\r\n"); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	for _, expected := range []string{"+OK", want} {
		line, err := answers.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(line); got != expected {
			t.Errorf("%s: redis answers %q, want %q", command, got, expected)
		}
	}
}

func fileMode(t *testing.T, path string) os.FileMode {
	t.Helper()
	stat, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return stat.Mode().Perm()
}
