package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/account"
	"maskfleet/pkg/apiv1"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/instance"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/photofile"
	"maskfleet/pkg/telemetry"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/webhook/poster"
)

// door is a front door of a test, on real stores, with two users.
type door struct {
	*Service
	url      string
	ann, bob person
	client   *http.Client
	stop     func()
	ended    chan error // of Serve; closed after it
}

// person has an account; key may do all that an API key can.
type person struct {
	user     jobstore.User
	password string
	key      string
}

// detection is an answer about a photo, as tests read it.
type detection = apiv1.Detection

func sampleID() job.ID { return uuid.MustParse("01890f3e-7b1a-7c00-8000-000000000001") }

// stores are what a door stands on; a test may bring one of its own to break it.
type stores struct {
	mysql jobstore.Config
	redis cache.Config
	nats  jobqueue.Config
	s3    imagestore.Config
}

func sharedStores(t testing.TB) stores {
	t.Helper()
	nats, _ := testenv.NATS(t)
	return stores{mysql: testenv.MariaDB(t), redis: testenv.Redis(t), nats: nats, s3: testenv.S3(t)}
}

func testConfig(st stores) Config {
	return Config{
		HTTP:  httpserver.Config{Listen: "127.0.0.1:0", TrustedProxies: []string{"127.0.0.0/8"}},
		MySQL: st.mysql, Cache: st.redis, Queue: st.nats, Images: st.s3,
		Photo:     photofile.Limits{MaxBytes: 10 << 20, MinSide: 32, MaxSide: 8192, MaxPixels: 40_000_000},
		Publisher: PublisherConfig{Interval: 100 * time.Millisecond, UnconfirmedFor: time.Second, UnseenFor: time.Minute, BatchSize: 100},
		Expander:  ExpanderConfig{Interval: 20 * time.Millisecond, AtOnce: 3, Lease: 3 * time.Second, MaxUnpackedRatio: 200},
		Dispatch:  DispatcherConfig{Interval: 20 * time.Millisecond, Ahead: 5 * time.Second, Least: 50, Most: 2000},
		Admission: AdmissionConfig{QueueLimit: 50_000, BatchQueueLimit: 1_000_000, UploadBytesInFlight: 256 << 20, AdmissionInterval: 100 * time.Millisecond},
		Webhooks: WebhookConfig{
			Post:     poster.Config{Timeout: 5 * time.Second, Retries: []time.Duration{50 * time.Millisecond, 100 * time.Millisecond}},
			Interval: 50 * time.Millisecond, ClaimMargin: 10 * time.Second, Concurrency: 4, Endpoints: 8, PerAccount: 5, SecretOverlap: time.Hour, KeepLog: time.Hour,
		},
		Erase:   EraseConfig{EraseInterval: 100 * time.Millisecond, KeepBatches: time.Hour, SweepInterval: time.Hour, OrphanAge: time.Hour},
		Waiting: WaitingConfig{WaitLimit: 30 * time.Second, UploadWait: 10 * time.Second, PollInterval: 100 * time.Millisecond},
		Batch: BatchConfig{
			MaxItemsJSON: 1000, MaxItems: 50_000, MaxJSONBytes: 32 << 20, MaxManifestBytes: 1 << 30, MaxArchiveBytes: 1 << 30, Window: 24 * time.Hour,
		},
		Quota:       QuotaConfig{Photos: 200_000, Batches: 100, Bodies: 4, Uploads: 10_000},
		Idempotency: IdempotencyConfig{Keep: 24 * time.Hour, Lock: 10 * time.Second},

		Instance:  instance.Config{ID: "i-test"},
		Heartbeat: 50 * time.Millisecond,

		RegisterEnabled: true,
		OpenWait:        20 * time.Second,
	}
}

// openDoor opens a door of its own for the test; change may change its settings.
func openDoor(t testing.TB, st stores, change func(*Config)) *door {
	t.Helper()
	cfg := testConfig(st)
	if change != nil {
		change(&cfg)
	}
	tel := telemetry.New(telemetry.Config{LogLevel: "error"}, io.Discard)
	tel.Log = testenv.Logger(t)
	service, closeDoors, err := Open(t.Context(), cfg, tel)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the broker has its streams", func() bool { return service.queue.Ensure(t.Context()) == nil })
	if err := service.images.EnsureBucket(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := &door{Service: service, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	d.ann, d.bob = d.newPerson(t, "ann"), d.newPerson(t, "bob")
	d.serve(t, closeDoors)
	return d
}

func (d *door) serve(t testing.TB, closeDoors func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.url = "http://" + ln.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	d.stop, d.ended = stop, make(chan error, 1)
	go func() {
		d.ended <- d.Serve(ctx, ln)
		close(d.ended)
	}()
	t.Cleanup(func() {
		stop()
		d.client.CloseIdleConnections()
		if err := <-d.ended; err != nil {
			t.Errorf("the door ended with %v", err)
		}
		closeDoors()
	})
}

func (d *door) newPerson(t testing.TB, name string) person {
	t.Helper()
	p := person{password: "correct horse " + name}
	p.user = testenv.User(t, d.store, name, account.RoleUser, p.password)
	var err error
	if p.key, _, err = d.accounts.NewAPIKey(t.Context(), p.user, "test", []string{account.ScopeRead, account.ScopeWrite}); err != nil {
		t.Fatal(err)
	}
	return p
}

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t testing.TB, to any) {
	t.Helper()
	if err := json.Unmarshal(a.body, to); err != nil {
		t.Fatalf("reading %d %s: %v", a.status, a.body, err)
	}
}

// detectionOf reads a detection from an answer of the wanted status.
func detectionOf(t testing.TB, a answer, status int) detection {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d %s, want %d", a.status, a.body, status)
	}
	var d detection
	a.into(t, &d)
	return d
}

// ask sends a request with the person's API key; nobody's if it is empty. The answer
// must be one that openapi.json describes.
func (d *door) ask(t testing.TB, p person, method, path string, body io.Reader, header map[string]string) answer {
	t.Helper()
	a, err := d.try(t.Context(), p, method, path, body, header)
	if err != nil {
		t.Fatal(err)
	}
	described, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	described.holds(t, method, path, a)
	return a
}

func (d *door) try(ctx context.Context, p person, method, path string, body io.Reader, header map[string]string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, d.url+path, body)
	if err != nil {
		return answer{}, err
	}
	if p.key != "" {
		request.Header.Set("Authorization", "Bearer "+p.key)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := d.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header}
	a.body, err = io.ReadAll(response.Body)
	return a, err
}

// post sends a photo to POST /v1/detections.
func (d *door) post(t testing.TB, p person, data []byte, header map[string]string) answer {
	t.Helper()
	body, kind := multipartBody(t, part{field: "file", filename: "a.jpg", data: data})
	all := map[string]string{"Content-Type": kind}
	maps.Copy(all, header)
	return d.ask(t, p, http.MethodPost, "/v1/detections", body, all)
}

// complete plays the worker: it claims the photo and finishes it with one masked and
// one unmasked face.
func (d *door) complete(t testing.TB, id job.ID) {
	t.Helper()
	photo, refusal, _, err := d.store.Claim(t.Context(), id, d.publicationOf(t, id), "w-test", time.Minute)
	if err != nil || refusal != job.RefusedNone {
		t.Fatalf("claiming %s: %v %v", id, refusal, err)
	}
	key := imagestore.ResultKey(photo, photo.Row.Fence, "annotated")
	if err := d.images.Put(t.Context(), key, "image/jpeg", []byte("annotated")); err != nil {
		t.Fatal(err)
	}
	done, err := d.store.Finish(t.Context(), id, photo.Row.Fence, job.Result{
		Width: 64, Height: 48, AnnotatedKey: key, Model: job.Model{Name: "test", Version: "1"},
		Timing: job.Timing{Inference: 14 * time.Millisecond, Total: 20 * time.Millisecond},
		Faces: []job.Face{
			{Label: job.LabelMasked, Confidence: 0.9, Box: job.Box{XMin: 0, YMin: 0, XMax: 32, YMax: 24}},
			{Label: job.LabelUnmasked, Confidence: 0.8, Box: job.Box{XMin: 32, YMin: 24, XMax: 64, YMax: 48}},
		},
	})
	if err != nil || !done {
		t.Fatalf("finishing %s: %v %v", id, done, err)
	}
}

func (d *door) publicationOf(t testing.TB, id job.ID) int {
	t.Helper()
	photo, err := d.store.Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return photo.Row.Publication
}

// photosStored counts every row.
func (d *door) photosStored(t testing.TB) int {
	t.Helper()
	counts, _, err := d.store.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, n := range counts {
		all += n
	}
	return all
}

// part is a part of a multipart body; without a filename it is a text field.
type part struct {
	field, filename string
	data            []byte
}

func multipartBody(t testing.TB, parts ...part) (*bytes.Buffer, string) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, p := range parts {
		create := w.CreateFormField
		if p.filename != "" {
			create = func(field string) (io.Writer, error) { return w.CreateFormFile(field, p.filename) }
		}
		to, err := create(p.field)
		if err == nil {
			_, err = to.Write(p.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &body, w.FormDataContentType()
}

// photo makes a small JPEG.
func photo(t testing.TB) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for x := range 64 {
		img.Set(x, x%48, color.RGBA{R: uint8(x * 4), A: 255})
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
