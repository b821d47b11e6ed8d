package ingest

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/job"
)

// TestStreamsEndWithWhatOpenedThem: a stream must not tell somebody who is no longer
// let in.
func TestStreamsEndWithWhatOpenedThem(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), func(c *Config) { c.HTTP.StreamRecheck = 20 * time.Millisecond })
	id := detectionOf(t, d.post(t, d.ann, photo(t), nil), 202).ID
	cookie := d.session(t, d.ann)
	byKey := d.stream(t, "/v1/detections/"+id.String()+"/events", "Authorization", "Bearer "+d.ann.key)
	bySession := d.stream(t, "/v1/detections/"+id.String()+"/events", "Cookie", cookie)
	cards := d.stream(t, "/photos/events?ids="+id.String(), "Cookie", cookie)

	if got := d.browse(t, http.MethodPost, "/logout", cookie, url.Values{}, nil).status; got != http.StatusSeeOther {
		t.Fatalf("logging out gave %d", got)
	}
	for _, stream := range []io.Reader{bySession, cards} {
		if _, err := io.ReadAll(stream); err != nil {
			t.Errorf("a stream ended with %v, want its proper end", err)
		}
	}
	if _, refusal, _, err := d.store.Claim(t.Context(), id, d.publicationOf(t, id), "w-test", time.Minute); err != nil || refusal != job.RefusedNone {
		t.Fatalf("claiming: %v %v", refusal, err)
	}
	told := bufio.NewReader(byKey) // the key's stream goes on
	for line := ""; !strings.Contains(line, `"processing"`); {
		var err error
		if line, err = told.ReadString('\n'); err != nil {
			t.Fatalf("the key's stream ended with the session: %v", err)
		}
	}

	keys, err := d.store.ListAPIKeys(t.Context(), d.ann.user.ID)
	if err != nil || len(keys) != 1 {
		t.Fatalf("got %d keys, %v", len(keys), err)
	}
	if err := d.store.RevokeAPIKey(t.Context(), d.ann.user.ID, keys[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(told); err != nil {
		t.Errorf("the stream ended with %v, want its proper end", err)
	}
}

// stream opens a stream of events.
func (d *door) stream(t *testing.T, path, header, value string) io.Reader {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set(header, value)
	response, err := d.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		t.Fatalf("got %d, want a stream", response.StatusCode)
	}
	return response.Body
}
