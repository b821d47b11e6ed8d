package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"strconv"
	"time"
)

const (
	detectionsPath = "/v1/detections"
	longestWait    = 30 * time.Second // that the front door grants
	longPoll       = 25 * time.Second
)

// Image says where a photo is; exactly one member is set.
type Image struct {
	URL      string `json:"url,omitempty"`
	Base64   []byte `json:"base64,omitempty"` // the photo's bytes
	S3URI    string `json:"s3_uri,omitempty"`
	UploadID string `json:"upload_id,omitempty"` // of Client.CreateUploads
}

// Photo is one photo to be looked at.
type Photo struct {
	Image    Image             `json:"image"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

// Detect submits a photo that lies elsewhere, or a small one. It waits for its result
// up to wait (at most 30 s; zero: not); look at Status for whether it came.
func (c *Client) Detect(ctx context.Context, photo Photo, wait time.Duration, options ...CallOption) (Detection, error) {
	body, err := fromJSON(photo)
	if err != nil {
		return Detection{}, err
	}
	return c.detect(ctx, body, "application/json", wait, options)
}

// DetectFile submits the bytes of a photo; name is shown with it and may be empty.
// It waits as Detect does.
func (c *Client) DetectFile(ctx context.Context, name string, content Content, wait time.Duration, options ...CallOption) (Detection, error) {
	body, contentType, err := form("file", name, content)
	if err != nil {
		return Detection{}, err
	}
	return c.detect(ctx, body, contentType, wait, options)
}

func (c *Client) detect(ctx context.Context, body *Content, contentType string, wait time.Duration, options []CallOption) (Detection, error) {
	r := newPost(detectionsPath, options)
	r.body = body
	r.set("Content-Type", contentType)
	if wait > 0 {
		r.set("Prefer", "wait="+seconds(wait))
	}
	var d Detection
	err := c.ask(ctx, r, &d)
	return d, err
}

// Detection finds a detection. It waits up to wait (at most 30 s; zero: not) for it
// to end.
func (c *Client) Detection(ctx context.Context, id string, wait time.Duration) (Detection, error) {
	r := call{method: http.MethodGet, path: detectionsPath + "/" + url.PathEscape(id)}
	if wait > 0 {
		r.query = url.Values{"wait": {seconds(wait)}}
	}
	var d Detection
	err := c.ask(ctx, r, &d)
	return d, err
}

// WaitDetection waits until the detection has ended, however long it takes.
func (c *Client) WaitDetection(ctx context.Context, id string) (Detection, error) {
	for {
		d, err := c.Detection(ctx, id, longPoll)
		if err != nil || d.Status.Ended() {
			return d, err
		}
	}
}

// DetectionFilter narrows a list; zero members do not.
type DetectionFilter struct {
	Status   Status
	Category Category
	From, To time.Time // of the submission
}

func (f DetectionFilter) query() url.Values {
	q := url.Values{}
	add := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	add("status", string(f.Status))
	add("category", string(f.Category))
	if !f.From.IsZero() {
		add("from", f.From.UTC().Format(time.RFC3339Nano))
	}
	if !f.To.IsZero() {
		add("to", f.To.UTC().Format(time.RFC3339Nano))
	}
	return q
}

// Detections goes through the account's history, the newest first. It ends after the
// first error.
func (c *Client) Detections(ctx context.Context, filter DetectionFilter) iter.Seq2[Detection, error] {
	return list[Detection](ctx, c, detectionsPath, filter.query())
}

// Deleted counts what a deletion removed.
type Deleted struct {
	Photos  int `json:"photos"`
	Objects int `json:"objects"` // files in S3
	Cached  int `json:"cached"`
	Pending int `json:"pending"` // photos of which something is left, to be removed soon
}

// DeleteDetection erases a photo and its result.
func (c *Client) DeleteDetection(ctx context.Context, id string) (Deleted, error) {
	return c.delete(ctx, detectionsPath+"/"+url.PathEscape(id))
}

func (c *Client) delete(ctx context.Context, path string) (Deleted, error) {
	var answer struct {
		Deleted Deleted `json:"deleted"`
	}
	err := c.ask(ctx, call{method: http.MethodDelete, path: path}, &answer)
	return answer.Deleted, err
}

// Variant is one of the pictures of a photo.
type Variant string

// The pictures of a photo.
const (
	Original  Variant = "original"
	Annotated Variant = "annotated"
	Thumbnail Variant = "thumbnail"
)

// Picture opens a picture of a photo. The caller closes it.
func (c *Client) Picture(ctx context.Context, id string, variant Variant) (io.ReadCloser, error) {
	link, err := c.do(ctx, call{
		method: http.MethodGet, path: detectionsPath + "/" + url.PathEscape(id) + "/image",
		query: url.Values{"variant": {string(variant)}},
	})
	if err != nil {
		return nil, err
	}
	link.Body.Close()
	at, err := link.Location()
	if err != nil {
		return nil, fmt.Errorf("asking for the %s picture of %s: the answer has no link: %w", variant, id, err)
	}
	picture, err := c.do(ctx, call{method: http.MethodGet, path: at.String(), signed: true, stream: true, silent: c.silence})
	if err != nil {
		return nil, err
	}
	return picture.Body, nil
}

// form is multipart with one file, streamed.
func form(field, name string, content Content) (body *Content, contentType string, err error) {
	var head bytes.Buffer
	parts := multipart.NewWriter(&head)
	header := textproto.MIMEHeader{}
	if name == "" {
		name = "photo"
	}
	header.Set("Content-Disposition", multipart.FileContentDisposition(field, path.Base(name)))
	header.Set("Content-Type", "application/octet-stream")
	if _, err := parts.CreatePart(header); err != nil {
		return nil, "", fmt.Errorf("beginning a form: %w", err)
	}
	opening := bytes.Clone(head.Bytes())
	head.Reset()
	if err := parts.Close(); err != nil {
		return nil, "", fmt.Errorf("ending a form: %w", err)
	}
	closing := head.Bytes()
	open := func() (io.ReadCloser, error) {
		file, err := content.open()
		if err != nil {
			return nil, err
		}
		return &joined{Reader: io.MultiReader(bytes.NewReader(opening), file, bytes.NewReader(closing)), Closer: file}, nil
	}
	length := int64(len(opening)) + content.Length + int64(len(closing))
	return &Content{Open: open, Length: length}, parts.FormDataContentType(), nil
}

type joined struct {
	io.Reader
	io.Closer
}

// seconds rounds up: whoever waits a little wants to wait.
func seconds(d time.Duration) string {
	d = min(d, longestWait)
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
