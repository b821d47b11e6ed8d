package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
)

func FuzzReadEvent(f *testing.F) {
	f.Add([]byte(": still here\n\nevent: progress\nid: 1\ndata: {}\r\ndata:x\n\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		lines := bufio.NewReader(bytes.NewReader(stream))
		for read := 0; ; {
			data, err := readEvent(lines)
			if err != nil {
				if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%q: %v", stream, err)
				}
				return
			}
			if read += len(data); len(data) == 0 || read > len(stream) {
				t.Fatalf("%q: %d bytes of data, the last of them %q", stream, read, data)
			}
		}
	})
}
