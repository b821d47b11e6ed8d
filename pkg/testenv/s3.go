package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"maskfleet/pkg/imagestore"
)

const (
	s3AccessKey = "maskfleet"
	s3SecretKey = "maskfleet-secret"
	s3Region    = "eu-central-1"
	s3ReadyIn   = time.Minute // far more than it takes; machines may be busy
)

// sharedS3 is the server of this test binary.
var sharedS3 = sync.OnceValues(newS3)

// S3 gives an empty bucket of its own to the test, on a server that all tests of
// the binary share.
func S3(tb testing.TB) imagestore.Config {
	tb.Helper()
	server, err := sharedS3()
	if err != nil {
		tb.Fatal(err)
	}
	return server.Bucket(tb)
}

// S3Server is an S3 of its own, for tests that stop it.
type S3Server struct {
	child
	buckets atomic.Int64 // made so far
}

// NewS3 starts a server for this test alone.
func NewS3(tb testing.TB) *S3Server {
	tb.Helper()
	return startedFor(tb, newS3)
}

func newS3() (*S3Server, error) {
	c, err := newChild("s3")
	if err != nil {
		return nil, err
	}
	s := &S3Server{child: c}
	s.run = s.runProcess
	return s, s.start()
}

// Config says where the server is; the bucket it names does not exist yet.
func (s *S3Server) Config() imagestore.Config {
	return imagestore.Config{
		Endpoint: s.endpoint(), PathStyle: true, Region: s3Region,
		Bucket:    "test-" + strconv.FormatInt(s.buckets.Add(1), 10),
		AccessKey: s3AccessKey, SecretKey: s3SecretKey,
	}
}

// Bucket makes an empty bucket.
func (s *S3Server) Bucket(tb testing.TB) imagestore.Config {
	tb.Helper()
	cfg := s.Config()
	store, err := imagestore.Open(tb.Context(), cfg)
	if err == nil {
		err = store.EnsureBucket(tb.Context())
	}
	if err != nil {
		tb.Fatal(err)
	}
	return cfg
}

func (s *S3Server) runProcess() (*Process, error) {
	program, err := s3Program()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "-address", "127.0.0.1:"+strconv.Itoa(s.port), "-dir", s.dir, "-region", s3Region)
	cmd.Env = []string{"S3_ACCESS_KEY=" + s3AccessKey, "S3_SECRET_KEY=" + s3SecretKey}
	process, err := StartProcess(cmd)
	if err != nil {
		return nil, err
	}
	return process, process.ready(s3ReadyIn, s.healthy)
}

func (s *S3Server) healthy(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.endpoint()+"/healthz", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("S3 answers %s", answer.Status)
	}
	return errors.Join(err, answer.Body.Close())
}

func (s *S3Server) endpoint() string { return "http://127.0.0.1:" + strconv.Itoa(s.port) }

// s3Program is the program that the local stack runs too, built if nobody has yet.
func s3Program() (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	program := filepath.Join(root, ".local", "bin", "s3")
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	err = withLock(filepath.Join(cache, "s3.lock"), func() error {
		if _, err := os.Stat(program); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return buildS3(filepath.Join(root, "deployments", "local", "s3"), program)
	})
	return program, err
}

func buildS3(module, program string) error {
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return fmt.Errorf("making the folder of programs: %w", err)
	}
	// Renamed when whole, so that a build cut short leaves nothing that looks built.
	unfinished := program + ".unfinished"
	build := exec.Command("go", "build", "-o", unfinished, ".")
	build.Dir = module
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the S3 server: %w\n%s", err, out)
	}
	return os.Rename(unfinished, program)
}
