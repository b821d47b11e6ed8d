package clienttest

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"maskfleet/pkg/client"
)

const (
	maxUploads = 100 // fewer than the real door's, so that tests need several calls
	maxItems   = 50_000
)

func linkEnds() (expires, keptUntil time.Time) {
	now := time.Now().UTC()
	return now.Add(time.Hour), now.Add(24 * time.Hour)
}

type batch struct {
	shown client.Batch
	items []item
}

type item struct {
	given client.Item
	now   client.Detection
}

func (d *Door) createBatch(r *http.Request) (int, any) {
	items, err := readItems(r)
	if err != nil || len(items) > maxItems {
		return http.StatusBadRequest, "invalid_request"
	}
	b := d.newBatch(items)
	if d.Finishes {
		b.finish(-1)
	}
	d.tell()
	return http.StatusAccepted, b.shown
}

func readItems(r *http.Request) ([]client.Item, error) {
	switch r.Header.Get("Content-Type") {
	case client.Zip:
		return readZip(r.Body)
	case client.Tar, client.TarGz:
		return nil, errors.New("this door reads no tar")
	}
	if r.Header.Get("Content-Type") == client.Manifest {
		var items []client.Item
		for in := json.NewDecoder(r.Body); ; {
			var i client.Item
			if err := in.Decode(&i); err == io.EOF {
				return items, nil
			} else if err != nil {
				return nil, err
			}
			items = append(items, i)
		}
	}
	var asked struct {
		Items  []client.Item `json:"items"`
		Prefix string        `json:"s3_prefix"`
	}
	err := json.NewDecoder(r.Body).Decode(&asked)
	if asked.Prefix != "" {
		for i := range 3 {
			uri := fmt.Sprintf("%s%d.jpg", asked.Prefix, i)
			asked.Items = append(asked.Items, client.Item{CustomID: uri, Image: client.Image{S3URI: uri}})
		}
	}
	return asked.Items, err
}

func readZip(body io.Reader) (items []client.Item, err error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	for _, f := range archive.File {
		items = append(items, client.Item{CustomID: f.Name})
	}
	return items, nil
}

func (d *Door) newBatch(given []client.Item) *batch {
	id := fmt.Sprintf("b%d", len(d.order)+1)
	b := &batch{shown: client.Batch{ID: id, Status: client.BatchInProgress, Run: 1, CreatedAt: time.Now().UTC()}}
	lines := make(map[string]int)
	for i, g := range given {
		if first, again := lines[g.CustomID]; again {
			b.shown.Status = client.BatchFailed
			b.shown.Error = &client.BatchError{Code: "invalid_manifest", Message: "The manifest is not valid.", Errors: []client.LineError{
				{Line: i + 1, Message: fmt.Sprintf("custom_id “%s” also stands in line %d", g.CustomID, first)},
			}}
		}
		lines[g.CustomID] = i + 1
		b.items = append(b.items, item{given: g, now: client.Detection{
			ID: fmt.Sprintf("%s-d%d", id, i+1), CustomID: g.CustomID, BatchID: id, Status: client.Queued, Metadata: g.Metadata,
		}})
	}
	b.count()
	d.batches[id] = b
	d.order = append(d.order, id)
	return b
}

// finish ends n more items, or all of them if n is negative.
func (b *batch) finish(n int) {
	for i := range b.items {
		now := &b.items[i].now
		if n == 0 || now.Status.Ended() {
			continue
		}
		n--
		now.Attempts++
		if strings.Contains(now.CustomID, "bad") && b.shown.Run == 1 {
			now.Status = client.Failed
			now.Error = &client.ItemError{Code: "decode_failed", Message: "The photo could not be read."}
			continue
		}
		now.Status, now.Category = client.Succeeded, client.SomeMasked
		now.Error = nil
		now.NumFaces, now.NumMasked, now.NumUnmasked = 3, 2, 1
		now.Timing = &client.Timing{Queued: 18, Fetch: 3, Inference: 14, Total: 41}
	}
	b.count()
}

func (b *batch) count() {
	c := client.Counts{Total: len(b.items)}
	by := map[client.Status]*int{
		client.Queued: &c.Queued, client.Succeeded: &c.Succeeded, client.Failed: &c.Failed, client.Cancelled: &c.Cancelled,
	}
	for _, i := range b.items {
		*by[i.now.Status]++
	}
	b.shown.Counts = c
	if c.Ended() == c.Total && b.shown.Status == client.BatchInProgress {
		b.shown.Status = client.BatchCompleted
	}
}

func (d *Door) listBatches(*http.Request) (int, any) {
	var all []client.Batch
	for _, id := range known(d.batches) {
		all = append(all, d.batches[id].shown)
	}
	return http.StatusOK, map[string]any{"data": all, "next_page_token": nil}
}

func (d *Door) getBatch(r *http.Request) (int, any) {
	b, found := d.batches[r.PathValue("id")]
	if !found {
		return http.StatusNotFound, "not_found"
	}
	return http.StatusOK, b.shown
}

// listItems gives pages of two, whatever was asked for.
func (d *Door) listItems(r *http.Request) (int, any) {
	b, found := d.batches[r.PathValue("id")]
	if !found {
		return http.StatusNotFound, "not_found"
	}
	var from int
	if token := r.FormValue("page_token"); token != "" {
		if _, err := fmt.Sscanf(token, "from-%d", &from); err != nil {
			return http.StatusBadRequest, "invalid_request"
		}
	}
	var matching []client.Detection
	for _, i := range b.items {
		if status := r.FormValue("status"); status == "" || status == string(i.now.Status) {
			matching = append(matching, i.now)
		}
	}
	to := min(from+2, len(matching))
	var next any
	if to < len(matching) {
		next = fmt.Sprintf("from-%d", to)
	}
	return http.StatusOK, map[string]any{"data": matching[from:to], "next_page_token": next}
}

func (d *Door) cancel(r *http.Request) (int, any) {
	b, found := d.batches[r.PathValue("id")]
	switch {
	case !found:
		return http.StatusNotFound, "not_found"
	case b.shown.Status == client.BatchCancelled:
		return http.StatusOK, b.shown
	case b.shown.Status.Ended():
		return http.StatusConflict, "conflict"
	}
	for i := range b.items {
		if now := &b.items[i].now; !now.Status.Ended() {
			now.Status = client.Cancelled
			now.Error = &client.ItemError{Code: "cancelled", Message: "It was cancelled."}
		}
	}
	b.shown.Status = client.BatchCancelled
	b.count()
	d.tell()
	return http.StatusAccepted, b.shown
}

func (d *Door) retry(r *http.Request) (int, any) {
	b, found := d.batches[r.PathValue("id")]
	switch {
	case !found:
		return http.StatusNotFound, "not_found"
	case b.shown.Status != client.BatchCompleted:
		return http.StatusConflict, "conflict"
	case b.shown.Counts.Failed == 0:
		return http.StatusOK, b.shown
	}
	for i := range b.items {
		if now := &b.items[i].now; now.Status == client.Failed {
			now.Status, now.Error = client.Queued, nil
		}
	}
	b.shown.Run++
	b.shown.Status = client.BatchInProgress
	b.count()
	if d.Finishes {
		b.finish(-1)
	}
	d.tell()
	return http.StatusAccepted, b.shown
}

func (d *Door) deleteBatch(r *http.Request) (int, any) {
	b, found := d.batches[r.PathValue("id")]
	if !found {
		return http.StatusNotFound, "not_found"
	}
	delete(d.batches, b.shown.ID)
	return http.StatusOK, map[string]any{"id": b.shown.ID, "deleted": client.Deleted{Photos: len(b.items), Objects: 3 * len(b.items)}}
}

func (d *Door) results(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	b, found := d.batches[r.PathValue("id")]
	var ended []client.Detection
	if found {
		for _, i := range b.items {
			if i.now.Status.Ended() {
				ended = append(ended, i.now)
			}
		}
	}
	d.mu.Unlock()
	if !found {
		Refuse(w, http.StatusNotFound, "not_found", "There is no such batch.")
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(w)
	defer func() { _ = packed.Close() }() // who left will not see it
	if r.FormValue("format") == "csv" {
		fmt.Fprintln(packed, "custom_id,id,status")
		for _, now := range ended {
			fmt.Fprintf(packed, "%s,%s,%s\n", now.CustomID, now.ID, now.Status)
		}
		return
	}
	out := json.NewEncoder(packed)
	for _, now := range ended {
		_ = out.Encode(now)
	}
}

func (d *Door) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "retry: 2000\n\n: still here\n\n")
	for n := 1; ; n++ {
		d.mu.Lock()
		b, found := d.batches[r.PathValue("id")]
		if !found {
			d.mu.Unlock()
			return
		}
		now, changed, sent := b.shown, d.changed, d.onEvents
		d.mu.Unlock()
		data, _ := json.Marshal(now)
		kind := "progress"
		if now.Status.Ended() {
			kind = "end"
		}
		fmt.Fprintf(out, "id: %d\nevent: %s\ndata: %s\n\n", n, kind, data)
		_ = out.Flush()
		w.(http.Flusher).Flush()
		if now.Status.Ended() {
			return
		}
		if sent != nil {
			sent()
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}
