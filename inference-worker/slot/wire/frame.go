package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Version is the version of the protocol. Both sides come from one build, so any
// other version is a mistake in the installation and ends the conversation.
const Version = 1

// ErrMalformed marks a frame that the other side of this build cannot have
// written: wrong version or kind, a length over its bound, a head that is not what
// it should be.
var ErrMalformed = errors.New("malformed frame")

type kind byte

const (
	kindHello   kind = 1 // slot to worker, once: ready
	kindRequest kind = 2 // worker to slot: a photo
	kindResult  kind = 3 // slot to worker: what was found
	kindFailure kind = 4 // slot to worker: why nothing was found
)

// A frame is a fixed header (magic, version, kind, length of head, length of
// body), a head in JSON and a body of plain bytes.
const headerBytes = 14

func magic() [4]byte { return [4]byte{'m', 's', 'k', 'f'} }

// bounds are the longest head and body that a reader accepts.
type bounds struct {
	headBytes uint32
	bodyBytes uint32
}

type frame struct {
	kind kind
	head []byte
	body []byte
}

// writeFrame sends the body's parts one after the other, so that pictures are not
// copied together first.
func writeFrame(w io.Writer, k kind, head any, body ...[]byte) error {
	encoded, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("encoding the head of a frame: %w", err)
	}
	bodyBytes := 0
	for _, part := range body {
		bodyBytes += len(part)
	}
	m := magic()
	start := make([]byte, 0, headerBytes+len(encoded))
	start = append(start, m[:]...)
	start = append(start, Version, byte(k))
	start = binary.BigEndian.AppendUint32(start, uint32(len(encoded)))
	start = binary.BigEndian.AppendUint32(start, uint32(bodyBytes))
	start = append(start, encoded...)
	if _, err := w.Write(start); err != nil {
		return fmt.Errorf("writing the head of a frame: %w", err)
	}
	for _, part := range body {
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("writing the body of a frame: %w", err)
		}
	}
	return nil
}

// readFrame reads one frame. The error is io.EOF only where the stream ends
// between two frames; a stream cut inside one gives io.ErrUnexpectedEOF.
func readFrame(r io.Reader, limit func(kind) (bounds, bool)) (frame, error) {
	var header [headerBytes]byte
	if _, err := io.ReadFull(r, header[:1]); err != nil {
		return frame{}, err
	}
	if _, err := io.ReadFull(r, header[1:]); err != nil {
		return frame{}, fmt.Errorf("reading the header of a frame: %w", unexpected(err))
	}
	if [4]byte(header[:4]) != magic() || header[4] != Version {
		return frame{}, fmt.Errorf("%w: begins with %x", ErrMalformed, header[:5])
	}
	k := kind(header[5])
	most, known := limit(k)
	if !known {
		return frame{}, fmt.Errorf("%w: kind %d is not expected here", ErrMalformed, k)
	}
	headBytes, bodyBytes := binary.BigEndian.Uint32(header[6:]), binary.BigEndian.Uint32(header[10:])
	if headBytes > most.headBytes || bodyBytes > most.bodyBytes {
		return frame{}, fmt.Errorf("%w: head of %d and body of %d bytes are over the bound", ErrMalformed, headBytes, bodyBytes)
	}
	rest := make([]byte, int(headBytes)+int(bodyBytes))
	if _, err := io.ReadFull(r, rest); err != nil {
		return frame{}, fmt.Errorf("reading a frame: %w", unexpected(err))
	}
	return frame{kind: k, head: rest[:headBytes], body: rest[headBytes:]}, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func decodeHead(f frame, into any) error {
	if err := json.Unmarshal(f.head, into); err != nil {
		return fmt.Errorf("%w: head of kind %d: %w", ErrMalformed, f.kind, err)
	}
	return nil
}
