package ingest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/webhook"
	"maskfleet/pkg/webhook/poster"
)

// deliveryConfig allows the addresses and waits little.
func deliveryConfig(allow ...*receiver) WebhookConfig {
	cfg := WebhookConfig{
		Post:     poster.Config{Timeout: 10 * time.Second, Retries: []time.Duration{20 * time.Millisecond, 20 * time.Millisecond, 20 * time.Millisecond}},
		Interval: 10 * time.Millisecond, ClaimMargin: 10 * time.Second, Concurrency: 4, Endpoints: 8, PerAccount: 5, SecretOverlap: time.Hour, KeepLog: time.Hour,
	}
	for _, r := range allow {
		cfg.Post.Allow = append(cfg.Post.Allow, r.Listener.Addr().String())
	}
	return cfg
}

// deliver runs a deliverer until the test ends; the returned function stops it earlier.
func deliver(t *testing.T, store *jobstore.Store, cfg WebhookConfig) (stop func()) {
	t.Helper()
	d, err := newDeliverer(store, cfg, "https://photos.example", testenv.Logger(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the deliverer ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func newEndpoint(t *testing.T, store *jobstore.Store, url string) jobstore.Webhook {
	t.Helper()
	w := jobstore.Webhook{
		ID: uuid.Must(uuid.NewV7()), OwnerID: testenv.Owner(t, store), URL: url, Rule: webhook.Rule{Events: webhook.Types()},
		Secret: webhook.NewSecret(), CreatedAt: time.Now().UTC(),
	}
	if err := store.CreateWebhook(t.Context(), w, 10); err != nil {
		t.Fatal(err)
	}
	return w
}

// happen ends a batch of the endpoint's owner, which is an event, and gives its id.
func happen(t *testing.T, store *jobstore.Store, w jobstore.Webhook) uuid.UUID {
	t.Helper()
	b := cancelledBatch(t, store, w.OwnerID)
	ids := deliveriesOf(t, store, w)
	i := slices.IndexFunc(ids, func(d jobstore.Delivery) bool { return d.Event.Subject == b })
	if i < 0 {
		t.Fatal("the end of a batch was no event")
	}
	return ids[i].ID
}

func deliveriesOf(t *testing.T, store *jobstore.Store, w jobstore.Webhook) []jobstore.Delivery {
	t.Helper()
	all, err := store.ListDeliveries(t.Context(), jobstore.DeliveryFilter{WebhookID: w.ID, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func awaitDelivery(t *testing.T, store *jobstore.Store, w jobstore.Webhook, id uuid.UUID, want jobstore.DeliveryState) (d jobstore.Delivery) {
	t.Helper()
	eventually(t, "the delivery is "+string(want), func() bool {
		var err error
		if d, err = store.FindDelivery(t.Context(), w.ID, id); err != nil {
			t.Fatal(err)
		}
		return d.State == want
	})
	return d
}

// faultsOf gives what the attempts of a delivery ran into, in their order.
func faultsOf(d jobstore.Delivery) (faults []string) {
	for _, a := range d.Attempts {
		faults = append(faults, a.Fault)
	}
	return faults
}

func TestWebhookIsDeliveredOnce(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	site := newReceiver(t, nil)
	w := newEndpoint(t, store, site.URL+"/hooks?from=maskfleet")
	deliver(t, store, deliveryConfig(site))
	id := happen(t, store, w)
	d := awaitDelivery(t, store, w, id, jobstore.DeliveryDelivered)
	if len(d.Attempts) != 1 || d.Attempts[0].Status != http.StatusNoContent || d.Attempts[0].Fault != "" {
		t.Errorf("attempts %+v", d.Attempts)
	}
	got := site.all()
	if len(got) != 1 || got[0].id() != id.String() {
		t.Fatalf("got %d messages: %+v", len(got), got)
	}
	site.mustVerify(t, w.Secret)
	if body := string(got[0].body); !strings.Contains(body, `"type":"batch.cancelled"`) || !strings.Contains(body, `"self":"https://photos.example/v1/batches/`) {
		t.Errorf("got %s", body)
	}
}

// TestWebhookIsRetried until the endpoint takes it; every try has the same webhook-id.
func TestWebhookIsRetried(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	site := newReceiver(t, nil)
	site.setAnswer(func(w http.ResponseWriter, r *http.Request) {
		if len(site.all()) < 3 {
			http.Error(w, "not now", http.StatusInternalServerError)
		}
	})
	w := newEndpoint(t, store, site.URL)
	deliver(t, store, deliveryConfig(site))
	id := happen(t, store, w)
	d := awaitDelivery(t, store, w, id, jobstore.DeliveryDelivered)
	if !slices.Equal(faultsOf(d), []string{"status", "status", ""}) || d.Attempts[0].Answer != "not now" {
		t.Errorf("attempts %+v", d.Attempts)
	}
	for _, p := range site.all() {
		if p.id() != id.String() {
			t.Errorf("a try has the id %s, want %s", p.id(), id)
		}
	}
	site.mustVerify(t, w.Secret)
}

// TestWebhookFails when the schedule is over, and goes out when a person asks for it.
func TestWebhookFails(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	site := newReceiver(t, status(http.StatusServiceUnavailable))
	w := newEndpoint(t, store, site.URL)
	deliver(t, store, deliveryConfig(site))
	id := happen(t, store, w)
	if d := awaitDelivery(t, store, w, id, jobstore.DeliveryFailed); len(d.Attempts) != 4 { // the first, and a schedule of three
		t.Errorf("attempts %+v", d.Attempts)
	}
	site.setAnswer(nil)
	if err := store.Redeliver(t.Context(), w.ID, id); err != nil {
		t.Fatal(err)
	}
	if d := awaitDelivery(t, store, w, id, jobstore.DeliveryDelivered); len(d.Attempts) != 5 || d.Attempts[4].Number != 5 {
		t.Errorf("attempts %+v", d.Attempts)
	}
}

// TestReceiverRestarts: what was posted to nobody is posted again.
func TestReceiverRestarts(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	site := newReceiver(t, nil)
	address := site.Listener.Addr().String()
	w := newEndpoint(t, store, site.URL)
	cfg := deliveryConfig(site)
	cfg.Post.Retries = slices.Repeat([]time.Duration{50 * time.Millisecond}, 200)
	site.Close()
	deliver(t, store, cfg)
	id := happen(t, store, w)
	eventually(t, "a try was in vain", func() bool {
		d := deliveriesOf(t, store, w)[0]
		return len(d.Attempts) > 0 && d.Attempts[0].Fault == string(poster.FaultConnection)
	})
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	again := httptest.NewUnstartedServer(site.handler())
	again.Listener = listener
	again.Start()
	t.Cleanup(again.Close)
	awaitDelivery(t, store, w, id, jobstore.DeliveryDelivered)
	site.mustVerify(t, w.Secret)
}

// TestKilledBetweenPostAndRecord: nobody knows what came of it, so it comes again,
// and the receiver can tell by the webhook-id.
func TestKilledBetweenPostAndRecord(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	site := newReceiver(t, nil)
	w := newEndpoint(t, store, site.URL)
	id := happen(t, store, w)

	// What a door does up to the moment at which it is killed.
	claimed, err := store.ClaimDeliveries(t.Context(), w.ID, 1, 100*time.Millisecond)
	if err != nil || len(claimed) != 1 {
		t.Fatal(claimed, err)
	}
	out, err := poster.New(deliveryConfig(site).Post)
	if err != nil {
		t.Fatal(err)
	}
	body, err := claimed[0].Event.Body("https://photos.example")
	if err != nil {
		t.Fatal(err)
	}
	if a, err := out.Post(t.Context(), poster.Message{URL: w.URL, Secrets: w.Secrets(), ID: id.String(), Body: body}); err != nil || !a.Succeeded() {
		t.Fatal(a, err)
	}

	deliver(t, store, deliveryConfig(site))
	d := awaitDelivery(t, store, w, id, jobstore.DeliveryDelivered)
	got := site.all()
	if len(got) != 2 || got[0].id() != got[1].id() || string(got[0].body) != string(got[1].body) {
		t.Errorf("got %+v, want the same message twice", got)
	}
	if len(d.Attempts) != 1 {
		t.Errorf("attempts %+v, want the one that was recorded", d.Attempts)
	}
}

// TestGoneDisables: after 410 nothing more is sent, and nothing is forgotten.
func TestGoneDisables(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	site := newReceiver(t, status(http.StatusGone))
	w := newEndpoint(t, store, site.URL)
	cfg := deliveryConfig(site)
	cfg.Concurrency = 1
	first, second := happen(t, store, w), happen(t, store, w)
	deliver(t, store, cfg)
	eventually(t, "the endpoint is disabled", func() bool {
		now, err := store.FindWebhook(t.Context(), w.OwnerID, w.ID)
		return err == nil && now.DisabledWhy == jobstore.DisabledAsGone
	})
	awaitDelivery(t, store, w, first, jobstore.DeliveryFailed)
	if d := awaitDelivery(t, store, w, second, jobstore.DeliveryWaiting); len(d.Attempts) > 0 {
		t.Errorf("tried %+v", d.Attempts)
	}
	if b := cancelledBatch(t, store, w.OwnerID); len(deliveriesOf(t, store, w)) != 2 {
		t.Errorf("the end of %s was written down for a disabled endpoint", b)
	}
	site.setAnswer(nil)
	if err := store.ChangeWebhook(t.Context(), w.OwnerID, w.ID, jobstore.WebhookChange{Enabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	awaitDelivery(t, store, w, second, jobstore.DeliveryDelivered)
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	target := newReceiver(t, nil)
	site := newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.URL, http.StatusPermanentRedirect)
	})
	w := newEndpoint(t, store, site.URL)
	deliver(t, store, deliveryConfig(site, target))
	d := awaitDelivery(t, store, w, happen(t, store, w), jobstore.DeliveryFailed)
	if d.Attempts[0].Fault != string(poster.FaultRedirect) || d.Attempts[0].Status != http.StatusPermanentRedirect {
		t.Errorf("attempts %+v", d.Attempts)
	}
	if got := target.all(); len(got) > 0 {
		t.Errorf("the redirect was followed: %+v", got)
	}
}

func TestPrivateEndpointIsRefused(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	site := newReceiver(t, nil)
	w := newEndpoint(t, store, site.URL)
	deliver(t, store, deliveryConfig()) // nothing is allowed
	d := awaitDelivery(t, store, w, happen(t, store, w), jobstore.DeliveryFailed)
	if want := slices.Repeat([]string{string(poster.FaultForbidden)}, 4); !slices.Equal(faultsOf(d), want) {
		t.Errorf("attempts %+v", d.Attempts)
	}
	if got := site.all(); len(got) > 0 {
		t.Errorf("a private address was reached: %+v", got)
	}
}

// TestRotatedSecretsBothSign as long as the old one lives.
func TestRotatedSecretsBothSign(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	site := newReceiver(t, nil)
	w := newEndpoint(t, store, site.URL)
	young := webhook.NewSecret()
	if err := store.RotateWebhookSecret(t.Context(), w.OwnerID, w.ID, uuid.New(), young, time.Hour); err != nil {
		t.Fatal(err)
	}
	deliver(t, store, deliveryConfig(site))
	awaitDelivery(t, store, w, happen(t, store, w), jobstore.DeliveryDelivered)
	site.mustVerify(t, w.Secret, young)
}

// TestTestIsTriedOnce: a person looks on.
func TestTestIsTriedOnce(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	site := newReceiver(t, status(http.StatusTeapot))
	w := newEndpoint(t, store, site.URL)
	id := uuid.Must(uuid.NewV7())
	if err := store.AddTestDelivery(t.Context(), w.ID, id); err != nil {
		t.Fatal(err)
	}
	deliver(t, store, deliveryConfig(site))
	if d := awaitDelivery(t, store, w, id, jobstore.DeliveryFailed); len(d.Attempts) != 1 || d.Attempts[0].Status != http.StatusTeapot {
		t.Errorf("attempts %+v", d.Attempts)
	}
}

func TestWebhookConfigIsChecked(t *testing.T) {
	t.Parallel()
	good := deliveryConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*WebhookConfig){
		"WEBHOOK_INTERVAL":       func(c *WebhookConfig) { c.Interval = 0 },
		"WEBHOOK_CLAIM_MARGIN":   func(c *WebhookConfig) { c.ClaimMargin = 0 },
		"WEBHOOK_CONCURRENCY":    func(c *WebhookConfig) { c.Concurrency = 0 },
		"WEBHOOK_SECRET_OVERLAP": func(c *WebhookConfig) { c.SecretOverlap = 0 },
		"WEBHOOK_KEEP_LOG":       func(c *WebhookConfig) { c.KeepLog = 0 },
		"WEBHOOK_ALLOW":          func(c *WebhookConfig) { c.Post.Allow = []string{"nowhere"} },
	} {
		bad := deliveryConfig()
		spoil(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// cancelledBatch brings a batch to its end, the shortest way.
func cancelledBatch(t *testing.T, store *jobstore.Store, owner uuid.UUID) uuid.UUID {
	t.Helper()
	b := job.Batch{ID: uuid.Must(uuid.NewV7()), OwnerID: owner, Source: job.BatchFromManifest, Window: time.Hour, CreatedAt: time.Now().UTC()}
	if err := store.CreateBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if cancelled, err := store.CancelBatch(t.Context(), b.ID); err != nil || !cancelled {
		t.Fatal(cancelled, err)
	}
	return b.ID
}
