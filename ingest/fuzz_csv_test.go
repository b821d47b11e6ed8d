package ingest

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"maskfleet/pkg/job"
)

// FuzzCSV writes a stranger's text into a row: it comes back as it was but for carriage
// returns, which csv.Writer drops, in one cell, and no cell of it begins a formula.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"a.jpg", "=1+1", "@SUM(A1)", "\t=1", "\r\n-1", `","=1`, "'=1", "a\r\n=1,=2", "\r'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		p := job.Photo{ID: sampleID(), BatchID: sampleID(), CustomID: text, Filename: text, WorkerID: text, Row: job.Row{State: job.StateSucceeded}, Result: &job.Result{Model: job.Model{Name: text}}}
		if err := newCSVResults(&out).write(p); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != 2 {
			t.Fatalf("%q: %d rows, %v", text, len(rows), err)
		}
		want := strings.ReplaceAll(text, "\r", "")
		for i, name := range rows[0] {
			cell := rows[1][i]
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
				t.Errorf("%q: %s begins a formula: %q", text, name, cell)
			}
			if name == "custom_id" && cell != want && cell != "'"+want {
				t.Errorf("%q came back as %q", text, cell)
			}
		}
	})
}
