package submission

import (
	"bytes"
	"errors"
	"io"
	"os"

	"maskfleet/pkg/client"
)

// contentTypeOf says what kind of photo the file is by how it begins, as the front
// door does; empty: none that it takes.
func contentTypeOf(path string) (string, error) {
	head, err := headOf(path, 12)
	return sniff(head), err
}

// ArchiveKind says what kind of archive a file is, by its content: client.Zip, Tar or
// TarGz; empty: none. A folder is none.
func ArchiveKind(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "", err
	}
	const tarMark = 257 // where a tar says that it is one
	head, err := headOf(path, tarMark+len("ustar"))
	switch {
	case err != nil:
		return "", err
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return client.Zip, nil
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return client.TarGz, nil
	case len(head) > tarMark && string(head[tarMark:]) == "ustar":
		return client.Tar, nil
	}
	return "", nil
}

// headOf gives the first n bytes of a file, or all of a shorter one.
func headOf(path string, n int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	head := make([]byte, n)
	n, err = io.ReadFull(file, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return head[:n], err
}

func sniff(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return "image/webp"
	case len(head) >= 10 && string(head[:2]) == "BM" && string(head[6:10]) == "\x00\x00\x00\x00":
		return "image/bmp" // many a text begins with BM, but not with the reserved zeros
	}
	return ""
}
