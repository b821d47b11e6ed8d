package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
)

const batchesPath = "/v1/batches"

// Item is one photo of a batch. CustomID is yours and names its result: results come
// in any order.
type Item struct {
	CustomID string            `json:"custom_id"`
	Image    Image             `json:"image"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

// Kinds of content that CreateBatchFrom takes.
const (
	Manifest = "application/x-ndjson" // an Item a line
	Zip      = "application/zip"
	Tar      = "application/x-tar"
	TarGz    = "application/gzip"
)

// CreateBatch submits up to a thousand photos; more go into a manifest.
func (c *Client) CreateBatch(ctx context.Context, items []Item, options ...CallOption) (Batch, error) {
	body, err := fromJSON(map[string]any{"items": items})
	if err != nil {
		return Batch{}, err
	}
	return c.createBatch(ctx, body, "application/json", options)
}

// CreateBatchFromS3 submits every photo below a prefix, such as
// s3://bucket/2026/11/, that the account may read.
func (c *Client) CreateBatchFromS3(ctx context.Context, prefix string, options ...CallOption) (Batch, error) {
	body, err := fromJSON(map[string]any{"s3_prefix": prefix})
	if err != nil {
		return Batch{}, err
	}
	return c.createBatch(ctx, body, "application/json", options)
}

// CreateBatchFrom submits a manifest or an archive; kind is one of Manifest, Zip, Tar
// and TarGz.
func (c *Client) CreateBatchFrom(ctx context.Context, kind string, content Content, options ...CallOption) (Batch, error) {
	return c.createBatch(ctx, &content, kind, options)
}

func (c *Client) createBatch(ctx context.Context, body *Content, contentType string, options []CallOption) (Batch, error) {
	r := newPost(batchesPath, options)
	r.body = body
	r.set("Content-Type", contentType)
	var b Batch
	err := c.ask(ctx, r, &b)
	return b, err
}

// Batch finds a batch.
func (c *Client) Batch(ctx context.Context, id string) (Batch, error) {
	var b Batch
	err := c.ask(ctx, call{method: http.MethodGet, path: batchPath(id)}, &b)
	return b, err
}

// Batches goes through the account's batches, the newest first; an empty status
// means all of them.
func (c *Client) Batches(ctx context.Context, status BatchStatus) iter.Seq2[Batch, error] {
	query := url.Values{}
	if status != "" {
		query.Set("status", string(status))
	}
	return list[Batch](ctx, c, batchesPath, query)
}

// Items goes through the items of a batch in the order in which they were
// submitted, those that wait too. Of the filter only Status and Category count.
func (c *Client) Items(ctx context.Context, id string, filter DetectionFilter) iter.Seq2[Detection, error] {
	query := DetectionFilter{Status: filter.Status, Category: filter.Category}.query()
	return list[Detection](ctx, c, batchPath(id)+"/items", query)
}

// Cancel ends the items that wait; those in hand finish and count.
func (c *Client) Cancel(ctx context.Context, id string, options ...CallOption) (Batch, error) {
	return c.command(ctx, id, "cancel", options)
}

// Retry opens another run of a batch that has ended, for its failed and expired
// items only.
func (c *Client) Retry(ctx context.Context, id string, options ...CallOption) (Batch, error) {
	return c.command(ctx, id, "retry", options)
}

func (c *Client) command(ctx context.Context, id, verb string, options []CallOption) (Batch, error) {
	var b Batch
	err := c.ask(ctx, newPost(batchPath(id)+"/"+verb, options), &b)
	return b, err
}

// DeleteBatch erases a batch that has ended, its photos and their results.
func (c *Client) DeleteBatch(ctx context.Context, id string) (Deleted, error) {
	return c.delete(ctx, batchPath(id))
}

func batchPath(id string) string { return batchesPath + "/" + url.PathEscape(id) }

// Limits are those in force. Members that the server does not know are zero.
type Limits struct {
	Photo struct {
		MaxBytes  int64    `json:"max_bytes"`
		MinSidePX int      `json:"min_side_px"`
		MaxSidePX int      `json:"max_side_px"`
		MaxPixels int      `json:"max_pixels"`
		Formats   []string `json:"formats"`
	} `json:"photo"`
	Wait struct {
		MaxSeconds int `json:"max_seconds"`
	} `json:"wait"`
	Queue struct {
		MaxPhotos int `json:"max_photos"`
	} `json:"queue"`
	Batch struct {
		MaxItemsJSON     int   `json:"max_items_json"`
		MaxItemsManifest int   `json:"max_items_manifest"`
		MaxJSONBytes     int64 `json:"max_json_bytes"`
		MaxManifestBytes int64 `json:"max_manifest_bytes"`
		MaxArchiveBytes  int64 `json:"max_archive_bytes"`
		WindowSeconds    int64 `json:"window_seconds"`
	} `json:"batch"`
	Uploads struct {
		MaxFiles    int   `json:"max_files"`
		LinkSeconds int64 `json:"link_seconds"`
		KeptSeconds int64 `json:"kept_seconds"`
	} `json:"uploads"`
	Results struct {
		KeptSeconds       int64 `json:"kept_seconds"`        // of batches; 0: until they are deleted
		SingleKeptSeconds int64 `json:"single_kept_seconds"` // of other photos, likewise
	} `json:"results"`
	Quota struct {
		MaxPhotos  int `json:"max_photos"` // waiting or in work
		MaxBatches int `json:"max_batches"`
		MaxBodies  int `json:"max_batch_bodies"` // batches being sent to one front door
		MaxUploads int `json:"max_uploads"`      // upload links that are neither used nor expired
	} `json:"quota"`

	Raw json.RawMessage `json:"-"` // all of it, as it came
}

// Limits asks for the limits in force.
func (c *Client) Limits(ctx context.Context) (Limits, error) {
	var raw json.RawMessage
	if err := c.ask(ctx, call{method: http.MethodGet, path: "/v1/limits"}, &raw); err != nil {
		return Limits{}, err
	}
	limits := Limits{Raw: raw}
	err := json.Unmarshal(raw, &limits)
	return limits, err
}
