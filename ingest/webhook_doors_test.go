package ingest

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// TestDeadEndpointHoldsNobodyUp: many messages hang at one endpoint, another takes its
// own at once, although there are but two places.
func TestDeadEndpointHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	release := make(chan struct{})
	dead := newReceiver(t, func(http.ResponseWriter, *http.Request) { <-release })
	alive := newReceiver(t, nil)
	hanging, lively := newEndpoint(t, store, dead.URL), newEndpoint(t, store, alive.URL)
	for range 20 {
		happen(t, store, hanging)
	}
	cfg := deliveryConfig(dead, alive)
	cfg.Endpoints = 2
	cfg.Post.Timeout = time.Minute
	deliver(t, store, cfg)
	defer close(release)
	eventually(t, "messages hang", func() bool { return len(dead.all()) == cfg.Concurrency })
	awaitDelivery(t, store, lively, happen(t, store, lively), jobstore.DeliveryDelivered)
	if n := len(dead.all()); n != cfg.Concurrency {
		t.Errorf("%d messages hang at the dead endpoint at once, want %d", n, cfg.Concurrency)
	}
}

// TestManyDoorsDeliverOnce: each message goes out from one of them.
func TestManyDoorsDeliverOnce(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	site := newReceiver(t, nil)
	w := newEndpoint(t, store, site.URL)
	const messages = 40
	for range messages {
		happen(t, store, w)
	}
	for range 3 {
		deliver(t, store, deliveryConfig(site))
	}
	eventually(t, "all are delivered", func() bool {
		return !slices.ContainsFunc(deliveriesOf(t, store, w), func(d jobstore.Delivery) bool { return d.State != jobstore.DeliveryDelivered })
	})
	seen := map[string]int{}
	for _, p := range site.all() {
		seen[p.id()]++
	}
	if len(seen) != messages || len(site.all()) != messages {
		t.Errorf("%d messages with %d ids came, want %d", len(site.all()), len(seen), messages)
	}
}

// TestStoppingDoorFinishes what it has posted.
func TestStoppingDoorFinishes(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	come, release := make(chan struct{}), make(chan struct{})
	site := newReceiver(t, func(http.ResponseWriter, *http.Request) {
		close(come)
		<-release
	})
	w := newEndpoint(t, store, site.URL)
	stop := deliver(t, store, deliveryConfig(site))
	id := happen(t, store, w)
	<-come
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	close(release)
	<-stopped
	awaitDelivery(t, store, w, id, jobstore.DeliveryDelivered)
}
