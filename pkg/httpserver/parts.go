package httpserver

import (
	"errors"
	"io"
	"mime/multipart"
)

// maxPartHeaderBytes is how much may come before the content of a part: its header,
// and for the first part whatever precedes it. The library would hold 10 MiB.
const maxPartHeaderBytes = 64 << 10

// ErrPartHeader says that a part of a multipart body has a header that is too long.
var ErrPartHeader = errors.New("the header of a part is too long")

// Parts reads a multipart body part by part and holds little of it. The content of a
// part has no limit: bound what you read.
type Parts struct {
	reader *multipart.Reader
	from   *headerGuard
	last   *multipart.Part
}

// NewParts reads the parts of from.
func NewParts(from io.Reader, boundary string) *Parts {
	guard := &headerGuard{from: from}
	return &Parts{reader: multipart.NewReader(guard, boundary), from: guard}
}

// Next gives the next part as it was sent, or io.EOF; what is left of the one before
// is passed over. After an error there is no next.
func (p *Parts) Next() (*multipart.Part, error) {
	if p.last != nil { // its content does not count as a header
		if _, err := io.Copy(io.Discard, p.last); err != nil {
			return nil, err
		}
	}
	p.from.left, p.from.counts = maxPartHeaderBytes, true
	defer func() { p.from.counts = false }()
	part, err := p.reader.NextRawPart()
	p.last = part
	return part, err
}

// headerGuard refuses to read on while headers are read that are too long.
type headerGuard struct {
	from   io.Reader
	counts bool // a header is being read
	left   int
}

func (g *headerGuard) Read(into []byte) (int, error) {
	if !g.counts {
		return g.from.Read(into)
	}
	if g.left <= 0 {
		return 0, ErrPartHeader
	}
	n, err := g.from.Read(into)
	g.left -= n
	return n, err
}
