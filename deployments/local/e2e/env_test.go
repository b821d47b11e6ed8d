package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"maskfleet/deployments/local/stack"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// patience bounds every wait. It is generous, because the machine may be slow; a
// promise that is kept never needs it.
const patience = 90 * time.Second

const (
	ackWait     = 3 * time.Second
	itemTimeout = 12 * time.Second
)

// quick is the usual configuration with intervals a tenth as long.
func quick() map[string]map[string]string {
	common := map[string]string{
		"LOG_LEVEL":             "debug",
		"JOBS_ACK_WAIT":         ackWait.String(),
		"JOBS_DUPLICATE_WINDOW": "10m", // as in production: retries must work within it
	}
	with := func(extra map[string]string) map[string]string {
		maps.Copy(extra, common)
		return extra
	}
	return map[string]map[string]string{
		"setup": with(map[string]string{}),
		"ingest": with(map[string]string{
			"PUBLISHER_INTERVAL":        "100ms",
			"PUBLISHER_UNCONFIRMED_FOR": "500ms",
			"PUBLISHER_UNSEEN_FOR":      "2s",
			"WEBHOOK_INTERVAL":          "100ms",
			"WEBHOOK_TIMEOUT":           "2s",
			"WEBHOOK_CLAIM_MARGIN":      "2s",
			"WEBHOOK_RETRIES":           "500ms,1s,2s,2s,2s,2s",
		}),
		"inference-worker": with(map[string]string{
			"ITEM_TIMEOUT":         itemTimeout.String(),
			"RETRY_BASE":           "200ms",
			"RETRY_ON_BROKER":      "6s",
			"OUTAGE_PROBE":         "200ms",
			"HEARTBEAT":            "500ms",
			"REPORT_INTERVAL":      "500ms",
			"IDLE_WAIT":            "500ms",
			"DRAIN_TIMEOUT":        "1s",
			"SLOT_SIMULATE_FAULTS": "true",
		}),
		"manager": with(map[string]string{}),
	}
}

// anotherInstance gives the nth front door and worker the settings of the first.
func anotherInstance(environ map[string]map[string]string, n int) {
	for _, part := range []string{"ingest", "inference-worker"} {
		environ[fmt.Sprintf("%s-%d", part, n)] = environ[part]
	}
}

// env is a running stack and the means to look into it.
type env struct {
	*stack.Stack
	info  stack.Info
	store *jobstore.Store
	queue *jobqueue.Queue
	web   *http.Client

	mu       sync.Mutex // guards accepted
	accepted []job.ID
}

// setting is one setting of one part that a test needs otherwise.
type setting struct{ part, name, value string }

// newEnv starts a stack of the test's own.
func newEnv(t *testing.T, settings ...setting) *env {
	t.Helper()
	environ := quick()
	for _, s := range settings {
		environ[s.part][s.name] = s.value
	}
	return startEnv(t, stack.Options{Env: environ})
}

// newEnvOfTwo starts a stack of two instances.
func newEnvOfTwo(t *testing.T) *env {
	t.Helper()
	environ := quick()
	anotherInstance(environ, 2)
	return startEnv(t, stack.Options{Env: environ, Instances: 2})
}

func startEnv(t testing.TB, options stack.Options) *env {
	t.Helper()
	options.Root = root(t)
	if options.Dir == "" {
		options.Dir = t.TempDir()
	}
	options.Bin = binaries(t, options.Root)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := stack.Start(ctx, options)
	if err != nil {
		t.Fatalf("starting the stack: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			keepLogs(t, s.Info())
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("stopping the stack: %v", err)
		}
	})
	e := &env{Stack: s, info: s.Info(), web: &http.Client{Timeout: patience}}
	e.open(t)
	return e
}

// root is the root of the repository: tests run in their package's folder.
func root(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// binaries is where the programs lie: for tests those built with the race detector,
// for benchmarks those that ship.
func binaries(t testing.TB, root string) string {
	t.Helper()
	dir := "bin-race"
	if _, measuring := t.(*testing.B); measuring {
		dir = "bin"
	}
	path := filepath.Join(root, ".local", dir)
	if _, err := os.Stat(filepath.Join(path, "ingest")); err != nil {
		t.Fatalf("the programs are not built: run `go tool task test:build`: %v", err)
	}
	return path
}

// instanceLogs is where the fleet's instances print, below the stack's folder.
const instanceLogs = "data/aws-host/instances"

// keepLogs copies the parts' logs where a person finds them after a failure.
func keepLogs(t testing.TB, info stack.Info) {
	t.Helper()
	to := filepath.Join(root(t), ".local", "e2e-logs", t.Name())
	if err := os.RemoveAll(to); err != nil {
		t.Logf("logs not kept: %v", err)
		return
	}
	for from, to := range map[string]string{
		info.LogDir: to, filepath.Join(info.Dir, instanceLogs): filepath.Join(to, "instances"),
	} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Logf("logs not kept: %v", err)
			return
		}
	}
	t.Logf("logs kept in %s", to)
}

func (e *env) open(t testing.TB) {
	t.Helper()
	m := e.info.MySQL
	store, err := jobstore.Open(t.Context(), jobstore.Config{
		Address: m.Address, User: m.User, Password: m.Password, Database: m.Database, MaxConns: 4,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	const user = "ingest" // who may publish and look
	queue, err := jobqueue.Open(t.Context(), jobqueue.Config{
		URL: e.info.NATS.URL, User: user, Password: e.BrokerPassword(user), Replicas: 1, MaxMessages: 100_000, MaxBytes: 256 << 20,
		AckWait: ackWait, DuplicateWindow: 10 * time.Minute, PresenceTTL: 15 * time.Second,
	}, testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(queue.Close)
	e.store, e.queue = store, queue
}

// answer is what the front door said.
type answer struct {
	status     int
	retryAfter string
	id         job.ID
	body       string
}

// post uploads one photo through the balancer. An error is a connection error.
func (e *env) post(ctx context.Context, photo []byte) (answer, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "photo.jpg")
	if err != nil {
		return answer{}, err
	}
	if _, err := part.Write(photo); err != nil {
		return answer{}, err
	}
	if err := form.Close(); err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.info.URLs.Web+"/v1/detections", &body)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", "Bearer "+e.info.APIKey)
	resp, err := e.web.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After"), body: string(data)}
	if a.status/100 == 2 {
		var detection struct {
			ID job.ID `json:"id"`
		}
		if err := json.Unmarshal(data, &detection); err != nil {
			return a, fmt.Errorf("reading %q: %w", data, err)
		}
		a.id = detection.ID
		e.mu.Lock()
		e.accepted = append(e.accepted, a.id)
		e.mu.Unlock()
	}
	return a, nil
}

// insist uploads one photo as clients should: one that is told to come again does.
func (e *env) insist(ctx context.Context, photo []byte) (answer, error) {
	for end := time.Now().Add(patience); ; {
		a, err := e.post(ctx, photo)
		after, untold := strconv.Atoi(a.retryAfter)
		if err != nil || a.status != http.StatusServiceUnavailable || untold != nil || time.Now().After(end) {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(time.Duration(after) * time.Second):
		}
	}
}

// submit uploads n photos that must be accepted.
func (e *env) submit(t testing.TB, n int, photo []byte) []job.ID {
	t.Helper()
	ids := make([]job.ID, n)
	for i := range ids {
		a, err := e.post(t.Context(), photo)
		if err != nil || a.status/100 != 2 {
			t.Fatalf("photo %d not accepted: %+v, %v", i, a, err)
		}
		ids[i] = a.id
	}
	return ids
}

// nobodyRefused looks for the broker's refusals in every log.
func (e *env) nobodyRefused(t *testing.T) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(e.info.LogDir, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs in %s: %v", e.info.LogDir, err)
	}
	ofInstances, err := filepath.Glob(filepath.Join(e.info.Dir, instanceLogs, "*", "*.log"))
	if err != nil || len(ofInstances) < len(e.info.Instances) {
		t.Fatalf("logs of instances: %v, %v", ofInstances, err)
	}
	logs = append(logs, ofInstances...)
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			if bytes.Contains(bytes.ToLower(line), []byte("permissions violation")) {
				t.Errorf("%s: %s", filepath.Base(log), line)
			}
		}
	}
}

// photo reads the truth.
func (e *env) photo(t *testing.T, id job.ID) job.Photo {
	t.Helper()
	p, err := e.store.Find(t.Context(), id)
	if err != nil {
		t.Fatalf("photo %s: %v", id, err)
	}
	return p
}

// eventually waits until check is content; its last complaint is the failure.
func eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: still %v after %s", what, err, patience)
		}
		time.Sleep(20 * time.Millisecond) // between two looks at an event
	}
}

// awaitState waits until the photo is in the state.
func (e *env) awaitState(t *testing.T, id job.ID, want job.State) job.Photo {
	t.Helper()
	var p job.Photo
	eventually(t, fmt.Sprintf("photo %s to be %s", id, want), func() error {
		var err error
		if p, err = e.store.Find(t.Context(), id); err != nil {
			return err
		}
		if p.Row.State != want {
			return fmt.Errorf("%s after %d attempts (%w)", p.Row.State, p.Row.Attempts, p.Failure)
		}
		return nil
	})
	return p
}

// awaitAll waits until every photo is in the state and gives them.
func (e *env) awaitAll(t *testing.T, ids []job.ID, want job.State) []job.Photo {
	t.Helper()
	photos := make([]job.Photo, len(ids))
	for i, id := range ids {
		photos[i] = e.awaitState(t, id, want)
	}
	return photos
}

// settled holds the promises that every test shares: what was accepted is terminal,
// nothing is left on the broker, DEAD knows every failure, and no part wanted more of
// the broker than its user may.
func (e *env) settled(t *testing.T) {
	t.Helper()
	e.nobodyRefused(t)
	e.mu.Lock()
	accepted := append([]job.ID(nil), e.accepted...)
	e.mu.Unlock()
	for _, id := range accepted {
		eventually(t, fmt.Sprintf("photo %s to end", id), func() error {
			p, err := e.store.Find(t.Context(), id)
			switch {
			case err != nil:
				return err
			case !p.Row.State.Terminal():
				return fmt.Errorf("%s", p.Row.State)
			case p.Row.State == job.StateFailed && !p.Row.DeadLetter:
				return fmt.Errorf("failed without a dead letter")
			}
			return nil
		})
	}
	eventually(t, "the queue to be empty", func() error {
		depth, err := e.queue.Depth(t.Context())
		if err != nil {
			return err
		}
		for lane, d := range depth {
			if d.Pending+d.InFlight > 0 {
				return fmt.Errorf("lane %s: %+v", lane, d)
			}
		}
		return nil
	})
	counts, _, err := e.store.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	if dead, err := e.queue.DeadLetters(t.Context()); err != nil || dead < counts[job.StateFailed] {
		t.Errorf("%d photos failed, DEAD holds %d, %v", counts[job.StateFailed], dead, err)
	}
	// A row whose commit was answered too late stands there although its sender was
	// told to try again. It ends like any other; the other way round is a lost photo.
	if open := counts[job.StateQueued] + counts[job.StateProcessing]; total < len(accepted) || open > 0 {
		t.Errorf("%d photos were accepted, %d stand in MySQL, %d of them open: %v", len(accepted), total, open, counts)
	}
}
