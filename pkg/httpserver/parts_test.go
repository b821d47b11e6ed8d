package httpserver_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"maskfleet/pkg/httpserver"
)

// counted counts what was read of it.
type counted struct {
	io.Reader
	bytes int
}

func (c *counted) Read(into []byte) (int, error) {
	n, err := c.Reader.Read(into)
	c.bytes += n
	return n, err
}

func TestHeadersOfPartsAreBounded(t *testing.T) {
	t.Parallel()
	const boundary, start = "b", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n"
	long := strings.Repeat("a", 1<<20)
	lines := strings.Repeat("X-A: a\r\n", 100_000)
	for name, body := range map[string]string{
		"one long line":     start + "X: " + long + "\r\n\r\nx\r\n--b--",
		"many lines":        start + lines + "\r\nx\r\n--b--",
		"of another part":   start + "\r\nx\r\n" + start + "X: " + long + "\r\n\r\nx\r\n--b--",
		"before all parts":  strings.Repeat("preamble\r\n", 100_000) + start + "\r\nx\r\n--b--",
		"after a long part": start + "\r\n" + long + "\r\n" + start + "X: " + long + "\r\n\r\nx\r\n--b--",
	} {
		from := &counted{Reader: strings.NewReader(body)}
		parts := httpserver.NewParts(from, boundary)
		var err error
		for err == nil {
			_, err = parts.Next()
		}
		if !errors.Is(err, httpserver.ErrPartHeader) {
			t.Errorf("%s: got %v", name, err)
		}
		if from.bytes > len(body)-len(long)/2 {
			t.Errorf("%s: %d of %d bytes were read", name, from.bytes, len(body))
		}
	}
}

func TestPartsOfAnyLength(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 1<<20)
	body := ""
	for i := range 20 {
		body += fmt.Sprintf("--b\r\nContent-Disposition: form-data; name=\"%d\"\r\nX: %s\r\n\r\n%s\r\n", i, long[:16<<10], long)
	}
	parts := httpserver.NewParts(strings.NewReader(body+"--b--"), "b")
	for i := range 20 {
		part, err := parts.Next()
		if err != nil {
			t.Fatalf("part %d: %v", i, err)
		}
		if i%2 == 0 {
			continue // and pass over its content
		}
		if text, err := io.ReadAll(part); err != nil || string(text) != long {
			t.Errorf("part %d: %d bytes, %v", i, len(text), err)
		}
	}
	if _, err := parts.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}
