package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

// Content is what is sent. It can be opened several times, because a request may be
// sent several times, and an attempt that failed may still be reading.
type Content struct {
	Open   func() (io.ReadCloser, error)
	Length int64 // bytes
}

// FromBytes is content in memory.
func FromBytes(data []byte) Content {
	return Content{
		Open:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
		Length: int64(len(data)),
	}
}

// FromFile is the content of a file as long as it is now.
func FromFile(path string) (Content, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Content{}, err
	}
	if !info.Mode().IsRegular() {
		return Content{}, fmt.Errorf("%s is not a file", path)
	}
	return Content{Open: func() (io.ReadCloser, error) { return os.Open(path) }, Length: info.Size()}, nil
}

func fromJSON(value any) (*Content, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encoding the request: %w", err)
	}
	content := FromBytes(data)
	return &content, nil
}

// open gives a reader that tells a fault of the content from one of the network: the
// former will not be better at another attempt.
func (c Content) open() (io.ReadCloser, error) {
	if c.Length == 0 {
		return http.NoBody, nil
	}
	from, err := c.Open()
	if err != nil {
		return nil, err
	}
	return &contentReader{from: from, left: c.Length}, nil
}

type contentReader struct {
	from io.ReadCloser
	left int64
}

func (r *contentReader) Read(into []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.from.Read(into[:min(int64(len(into)), r.left)])
	r.left -= int64(n)
	switch {
	case r.left == 0:
		return n, nil
	case err == io.EOF:
		return n, &unsendableError{fmt.Errorf("reading what is to be sent: it is %d bytes shorter than it was", r.left)}
	case err != nil:
		return n, &unsendableError{fmt.Errorf("reading what is to be sent: %w", err)}
	}
	return n, nil
}

func (r *contentReader) Close() error { return r.from.Close() }
