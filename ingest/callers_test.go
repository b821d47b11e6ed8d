package ingest

import (
	"net/http"
	"testing"
	"time"

	"maskfleet/pkg/problem"
)

func TestRevokedKeyIsGoodForAMomentAtMost(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) { c.KeyGoodFor = time.Hour })
	other := d.keyWith(t, d.ann, "read")
	ask := func() answer { return d.ask(t, other, http.MethodGet, "/v1/limits", nil, nil) }
	if a := ask(); a.status != 200 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	keys, err := d.store.ListAPIKeys(t.Context(), d.ann.user.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if err := d.store.RevokeAPIKey(t.Context(), d.ann.user.ID, key.ID); err != nil {
			t.Fatal(err)
		}
	}
	if a := ask(); a.status != 200 { // or MySQL would be asked each time
		t.Errorf("within the hour: %d %s", a.status, a.body)
	}
	d.callers.forget() // as the hour's end, or the page that revokes a key
	d.refuses(t, ask(), 401, problem.CodeUnauthenticated)
	if len(d.callers.known) != 0 {
		t.Error("a key that is not good is remembered")
	}
}
