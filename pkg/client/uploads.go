package client

import (
	"context"
	"net/http"
	"time"
)

// UploadFile is a file for which a link is wanted. Bytes is required: the link takes no
// other length. The other members may be empty.
type UploadFile struct {
	Filename    string `json:"filename,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Bytes       int64  `json:"bytes"`
}

// Upload is a signed link to which one photo can be sent, past the front door. Its
// ID then stands for the photo in Image.
type Upload struct {
	ID        string            `json:"upload_id"`
	Filename  string            `json:"filename"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	ExpiresAt time.Time         `json:"expires_at"` // of the link
	KeptUntil time.Time         `json:"kept_until"` // until then the ID can be named
}

// CreateUploads asks for a link for each file, in their order; Limits says how many
// at once.
func (c *Client) CreateUploads(ctx context.Context, files []UploadFile, options ...CallOption) ([]Upload, error) {
	r := newPost("/v1/uploads", options)
	r.set("Content-Type", "application/json")
	var err error
	if r.body, err = fromJSON(map[string]any{"files": files}); err != nil {
		return nil, err
	}
	var answer page[Upload]
	err = c.ask(ctx, r, &answer)
	return answer.Data, err
}

// Put sends a photo to its link. Sending it again replaces it.
func (c *Client) Put(ctx context.Context, upload Upload, content Content) error {
	r := call{method: upload.Method, path: upload.URL, signed: true, body: &content}
	if r.method == "" {
		r.method = http.MethodPut
	}
	for name, value := range upload.Headers {
		r.set(name, value)
	}
	response, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
