package ingest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	slashpath "path"
	"strings"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
)

// ratioFloor is what every archive may unpack to, however small it is: a few flat
// pictures do shrink that much.
const ratioFloor = 64 << 20

// archiveFile is a batch's zip or tar on the local disk, without a name there: zip
// has its list at the end, and both are read twice. It vanishes when it is closed.
type archiveFile struct {
	file  io.ReaderAt
	bytes int64
	// unpacked is how much all entries together may have.
	unpacked int64
	limits   itemLimits
}

// openArchive fetches the archive from S3.
func openArchive(ctx context.Context, images *imagestore.Store, b job.Batch, ratio int64, limits itemLimits) (itemSource, func(), error) {
	nothing := func() {}
	body, _, err := images.Stream(ctx, b.SourceKey)
	if errors.Is(err, imagestore.ErrNotFound) {
		return nil, nothing, &job.BatchFailure{Code: job.BatchCodeSourceNotFound, Message: "The archive is no longer there. Please submit it again."}
	}
	if err != nil {
		return nil, nothing, err
	}
	defer func() { _ = body.Close() }()
	file, err := os.CreateTemp("", "maskfleet-archive-*")
	if err != nil {
		return nil, nothing, fmt.Errorf("making room for an archive: %w", err)
	}
	closeFile := func() { _ = file.Close() }
	n, err := io.Copy(file, body)
	if err = errors.Join(err, os.Remove(file.Name())); err != nil {
		closeFile()
		return nil, nothing, fmt.Errorf("fetching an archive: %w", err)
	}
	return &archiveFile{file: file, bytes: n, unpacked: max(ratioFloor, n*ratio), limits: limits}, closeFile, nil
}

// brokenArchive refuses an archive as a whole.
func brokenArchive(message string, faults ...job.LineFault) error {
	return &job.BatchFailure{Code: job.BatchCodeInvalidArchive, Message: message, Lines: faults}
}

func (a *archiveFile) each(ctx context.Context, visit func(entry) error) error {
	kind := make([]byte, 4)
	if _, err := a.file.ReadAt(kind, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading an archive: %w", err)
	}
	switch {
	case string(kind) == "PK\x03\x04" || string(kind) == "PK\x05\x06":
		return a.eachOfZip(ctx, visit)
	case kind[0] == 0x1f && kind[1] == 0x8b:
		unpacked, err := gzip.NewReader(io.NewSectionReader(a.file, 0, a.bytes))
		if err != nil {
			return brokenArchive("The archive is damaged and cannot be opened.")
		}
		return a.eachOfTar(ctx, unpacked, visit)
	default:
		return a.eachOfTar(ctx, io.NewSectionReader(a.file, 0, a.bytes), visit)
	}
}

func (a *archiveFile) eachOfZip(ctx context.Context, visit func(entry) error) error {
	file := &listedFile{ReaderAt: a.file, left: listFloor + int64(a.limits.items)*listedBytes, entries: listedFloor + 2*a.limits.items}
	archive, err := zip.NewReader(file, a.bytes)
	if errors.Is(err, errListTooLong) {
		return &job.BatchFailure{Code: job.BatchCodeTooManyItems, Message: fmt.Sprintf("The archive has far more than %d entries.", a.limits.items)}
	}
	file.listed = true
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return brokenArchive("The archive is damaged and cannot be opened.")
	}
	left := a.unpacked
	place := 0
	for _, f := range archive.File {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if left -= int64(min(f.UncompressedSize64, 1<<62)); left < 0 { //nolint:gosec // bounded just before
			return tooDense()
		}
		n, use := member(place+1, f.Name, f.Mode())
		if !use {
			continue
		}
		place++
		n.bytes = a.needs(int64(min(f.UncompressedSize64, 1<<62))) //nolint:gosec // bounded
		n.data = func() ([]byte, error) {
			content, err := f.Open()
			if err != nil {
				return nil, damagedMember(n)
			}
			defer func() { _ = content.Close() }()
			return a.read(n, content)
		}
		if err := visit(n); err != nil {
			return err
		}
	}
	return nil
}

// A zip's list of its entries is read into memory whole, before any of them is looked at.
const (
	listFloor   = 1 << 20
	listedBytes = 512 // of an entry with a long name, on average
	// Folders, and what file managers leave behind, are entries besides the items.
	listedFloor = 2000
)

var errListTooLong = errors.New("the list of entries is too long")

// listedFile is a zip of whose list only so many bytes and entries are read: an entry
// takes ten times the memory that it takes in the list.
type listedFile struct {
	io.ReaderAt
	left    int64
	entries int
	next    int64  // where the last reading ended
	tail    []byte // its last bytes, where a signature may have begun
	listed  bool   // from here on the entries are read
}

// Signatures of zip: of an entry in the list, and of the end of a long list with the
// number of its entries, for which room is made before any is read.
const (
	zipEntry      = "PK\x01\x02"
	zipLongEnd    = "PK\x06\x06"
	zipLongNumber = 32 // where the number stands
)

func (l *listedFile) ReadAt(into []byte, at int64) (int, error) {
	if l.listed {
		return l.ReaderAt.ReadAt(into, at)
	}
	if l.left -= int64(len(into)); l.left < 0 {
		return 0, errListTooLong
	}
	n, err := l.ReaderAt.ReadAt(into, at)
	if at != l.next {
		l.tail = nil
	}
	seen := append(l.tail, into[:n]...)
	l.entries -= bytes.Count(seen, []byte(zipEntry))
	l.next, l.tail = at+int64(n), bytes.Clone(seen[max(0, len(seen)-len(zipEntry)+1):])
	if text := into[:n]; bytes.HasPrefix(text, []byte(zipLongEnd)) && n >= zipLongNumber+8 &&
		binary.LittleEndian.Uint64(text[zipLongNumber:]) > uint64(max(0, l.entries)) { //nolint:gosec // not below zero
		return 0, errListTooLong
	}
	if l.entries < 0 {
		return 0, errListTooLong
	}
	return n, err
}

func (a *archiveFile) eachOfTar(ctx context.Context, from io.Reader, visit func(entry) error) error {
	bounded := &io.LimitedReader{R: from, N: a.unpacked}
	archive := tar.NewReader(bounded)
	for place := 0; ; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		header, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && bounded.N <= 0:
			return tooDense()
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return brokenArchive("The archive is damaged, or neither a zip nor a tar.")
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		mode := header.FileInfo().Mode()
		if header.Typeflag == tar.TypeLink {
			mode |= fs.ModeSymlink // a hard link is as little a photo
		}
		n, use := member(place+1, header.Name, mode)
		if !use {
			continue
		}
		place++
		n.bytes = a.needs(header.Size)
		n.data = func() ([]byte, error) { return a.read(n, archive) }
		if err := visit(n); err != nil {
			return err
		}
	}
}

func tooDense() error {
	return brokenArchive("The archive unpacks to far more than its own size.")
}

func damagedMember(n entry) error {
	return brokenArchive("The archive is damaged.", job.LineFault{
		Line: n.line, CustomID: n.item.CustomID, Code: job.BatchCodeInvalidArchive, Message: "the entry cannot be unpacked",
	})
}

// needs is how much of a member of so many bytes is unpacked: of a photo too large no
// more than it takes for a worker to refuse it.
func (a *archiveFile) needs(size int64) int64 { return max(0, min(size, a.limits.photo+1)) }

// read unpacks a member into the memory that it said it needs. Where that is all of it,
// its end is read, too: only there it is seen whether the member is whole.
func (a *archiveFile) read(n entry, from io.Reader) ([]byte, error) {
	data := make([]byte, n.bytes)
	if _, err := io.ReadFull(from, data); err != nil {
		return nil, damagedMember(n)
	}
	if n.bytes <= a.limits.photo {
		if _, err := io.CopyN(io.Discard, from, 1); !errors.Is(err, io.EOF) {
			return nil, damagedMember(n)
		}
	}
	return data, nil
}

// member makes an entry of an archive an item, named by its path. Folders and what
// file managers leave behind are passed over; all that is no plain file within the
// archive is a fault.
func member(place int, name string, mode fs.FileMode) (n entry, use bool) {
	clean := strings.ToValidUTF8(name, "_")
	n = entry{line: place, item: job.Item{CustomID: clean}, code: job.BatchCodeInvalidArchive}
	switch {
	case !localName(name):
		n.item.CustomID = clean[:min(len(clean), job.MaxCustomID)]
		n.item.CustomID = strings.ToValidUTF8(n.item.CustomID, "")
		n.fault = errors.New("the entry leads out of the archive")
		return n, true
	case mode.IsDir():
		return n, false
	case !mode.IsRegular():
		n.fault = errors.New("the entry is a link or another special file")
		return n, true
	}
	n.item.CustomID = slashpath.Clean(clean)
	if leftBehind(n.item.CustomID) {
		return n, false
	}
	if err := job.CheckCustomID(n.item.CustomID); err != nil {
		n.item.CustomID, n.fault = "", errors.New("the path of the entry is too long, or cannot be shown")
	}
	return n, true
}

// localName says whether a path stays within the folder it is unpacked to, on every
// system that it might have been made on.
func localName(name string) bool {
	if name == "" || strings.ContainsAny(name, "\\\x00") || strings.HasPrefix(name, "/") {
		return false
	}
	if len(name) > 1 && name[1] == ':' { // a drive
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return false
		}
	}
	return true
}

// leftBehind says that a file is what a file manager leaves in a folder.
func leftBehind(name string) bool {
	base := slashpath.Base(name)
	return strings.HasPrefix(base, ".") || base == "Thumbs.db" || base == "desktop.ini" ||
		strings.HasPrefix(name, "__MACOSX/") || strings.Contains(name, "/__MACOSX/")
}
