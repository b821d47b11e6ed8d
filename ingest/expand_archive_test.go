package ingest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/job"
)

// file is a member of an archive of a test.
type file struct {
	name string
	data []byte
	mode fs.FileMode
}

func zipOf(t *testing.T, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		if len(f.data) == 0 {
			header.Method = zip.Store // a hundred thousand compressors take their time
		}
		header.SetMode(f.mode | 0o644)
		to, err := w.CreateHeader(header)
		if err == nil && !strings.HasSuffix(f.name, "/") {
			_, err = to.Write(f.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func tarOf(t *testing.T, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data)), Typeflag: tar.TypeReg}
		switch {
		case strings.HasSuffix(f.name, "/"):
			header.Typeflag = tar.TypeDir
		case f.mode&fs.ModeSymlink != 0:
			header.Typeflag, header.Linkname, header.Size = tar.TypeSymlink, string(f.data), 0
		}
		err := w.WriteHeader(header)
		if err == nil && header.Size > 0 {
			_, err = w.Write(f.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gzipOf(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestArchiveBecomesPhotos(t *testing.T) {
	t.Parallel()
	e := newExpansion(t)
	jpeg := photo(t)
	files := []file{
		{name: "gate/"}, {name: "gate/1.jpg", data: jpeg}, {name: "./gate/2.jpg", data: []byte("no photo")},
		{name: "gate/.DS_Store", data: []byte("x")}, {name: "__MACOSX/gate/1.jpg", data: []byte("x")},
		{name: "inner.zip", data: zipOf(t, file{name: "3.jpg", data: jpeg})}, // stays closed
	}
	for name, archive := range map[string][]byte{
		"zip": zipOf(t, files...), "tar": tarOf(t, files...), "tar.gz": gzipOf(t, tarOf(t, files...)),
	} {
		b := e.submit(t, job.BatchFromArchive, archive)
		if got := e.run(t, b); got.State != job.BatchQueued {
			t.Fatalf("%s: %s, %v", name, got.State, got.Failure)
		}
		got := map[string]string{}
		for _, p := range e.items(t, b) {
			data, err := e.images.Get(t.Context(), p.OriginalKey, 1<<20)
			if err != nil || p.Source != job.SourceMember {
				t.Errorf("%s: %s from %q: %v", name, p.CustomID, p.Source, err)
			}
			got[p.CustomID] = string(data)
		}
		want := map[string]string{"gate/1.jpg": string(jpeg), "gate/2.jpg": "no photo", "inner.zip": string(files[5].data)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
}

func TestArchivesThatAreRefused(t *testing.T) {
	t.Parallel()
	e := newExpansion(t)
	ok := file{name: "a.jpg", data: []byte("x")}
	link := file{name: "link.jpg", data: []byte("/etc/passwd"), mode: fs.ModeSymlink}
	var crowd []file
	for i := range 100_000 {
		crowd = append(crowd, file{name: fmt.Sprintf("%d.jpg", i)})
	}
	whole := zipOf(t, file{name: "a.jpg", data: bytes.Repeat([]byte("abcdefgh"), 9999)})
	for name, c := range map[string]struct {
		archive []byte
		code    job.BatchCode
		lines   int
	}{
		"zip leads out":          {zipOf(t, ok, file{name: "../../etc/passwd"}), job.BatchCodeInvalidArchive, 1},
		"zip is absolute":        {zipOf(t, file{name: "/etc/passwd"}), job.BatchCodeInvalidArchive, 1},
		"zip for windows":        {zipOf(t, file{name: `..\..\a.jpg`}, file{name: `C:/a.jpg`}), job.BatchCodeInvalidArchive, 2},
		"tar leads out":          {tarOf(t, ok, file{name: "x/../../a.jpg"}), job.BatchCodeInvalidArchive, 1},
		"zip with a link":        {zipOf(t, ok, link), job.BatchCodeInvalidArchive, 1},
		"tar with a link":        {tarOf(t, ok, link), job.BatchCodeInvalidArchive, 1},
		"zip of 100,000 entries": {zipOf(t, crowd...), job.BatchCodeTooManyItems, 0},
		"tar of 5,000 entries":   {gzipOf(t, tarOf(t, crowd[:5000]...)), job.BatchCodeTooManyItems, 0},
		"same name twice":        {tarOf(t, ok, ok), job.BatchCodeDuplicateCustomID, 1},
		"nothing in it":          {zipOf(t), job.BatchCodeNoItems, 0},
		"cut off zip":            {whole[:len(whole)/2], job.BatchCodeInvalidArchive, 0},
		"damaged zip":            {bytes.Replace(whole, whole[40:60], make([]byte, 20), 1), job.BatchCodeInvalidArchive, 1},
		"zip with a wrong sum":   {wrongSum(zipOf(t, ok), ok.data), job.BatchCodeInvalidArchive, 1},
		"cut off tar":            {tarOf(t, file{name: "a.jpg", data: make([]byte, 5000)})[:2000], job.BatchCodeInvalidArchive, -1},
		"no archive":             {[]byte("GIF89a and so on, long enough to be looked at as a header of a tar"), job.BatchCodeInvalidArchive, 0},
		"one byte":               {[]byte("x"), job.BatchCodeInvalidArchive, 0},
	} {
		b := e.run(t, e.submit(t, job.BatchFromArchive, c.archive))
		if b.State != job.BatchFailed || b.Failure == nil || b.Failure.Code != c.code || b.Counts.Remaining > 0 {
			t.Errorf("%s: %s with %+v, %v", name, b.State, b.Counts, b.Failure)
			continue
		}
		if c.lines >= 0 && len(b.Failure.Lines) != c.lines {
			t.Errorf("%s: names %+v", name, b.Failure.Lines)
		}
	}
}

// wrongSum is a zip in which another checksum stands than that of data.
func wrongSum(archive, data []byte) []byte {
	sum := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(data))
	return bytes.ReplaceAll(archive, sum, []byte("nope"))
}

// TestZipOfEndlessEntries: the list of a zip is as large as the zip may be, and takes
// several times that in memory.
func TestZipOfEndlessEntries(t *testing.T) {
	t.Parallel()
	var crowd []file
	for i := range 30_000 {
		crowd = append(crowd, file{name: fmt.Sprintf("%d.jpg", i)})
	}
	a := archiveOf(zipOf(t, crowd...))
	err := a.each(t.Context(), func(n entry) error {
		t.Fatalf("entry %q was looked at", n.item.CustomID)
		return nil
	})
	var refused *job.BatchFailure
	if !errors.As(err, &refused) || refused.Code != job.BatchCodeTooManyItems {
		t.Errorf("got %v", err)
	}
}

// TestZipOfShortEntries: many of them are few bytes in the list. Nor is room made for as
// many as a zip says that it has.
func TestZipOfShortEntries(t *testing.T) {
	t.Parallel()
	var crowd []file
	for range 5000 {
		crowd = append(crowd, file{name: "a"})
	}
	many := zipOf(t, crowd...)
	claims := make([]byte, 56+20)
	copy(claims, zipLongEnd)
	binary.LittleEndian.PutUint64(claims[zipLongNumber:], 1<<40)
	copy(claims[56:], "PK\x06\x07")
	binary.LittleEndian.PutUint32(claims[56+16:], 1)
	claims = append(claims, []byte("PK\x05\x06"+strings.Repeat("\xff", 16)+"\x00\x00")...)
	for name, archive := range map[string][]byte{"many": many, "claims": claims} {
		list := &listedFile{ReaderAt: bytes.NewReader(archive), left: 1 << 30, entries: 4000}
		if _, err := zip.NewReader(list, int64(len(archive))); !errors.Is(err, errListTooLong) {
			t.Errorf("%s: got %v", name, err)
		}
		list = &listedFile{ReaderAt: bytes.NewReader(archive), left: 1 << 30, entries: 8000}
		if _, err := zip.NewReader(list, int64(len(archive))); name == "many" && err != nil {
			t.Errorf("%s: within the bound: %v", name, err)
		}
	}
}

// TestExpansionWaitsForMemory: it shares the budget of uploads.
func TestExpansionWaitsForMemory(t *testing.T) {
	t.Parallel()
	e := newExpansion(t)
	jpeg := photo(t)
	for name, c := range map[string]struct {
		source job.BatchSource
		text   []byte
	}{
		"zip":    {job.BatchFromArchive, zipOf(t, file{name: "a.jpg", data: jpeg}, file{name: "b.jpg", data: jpeg})},
		"tar":    {job.BatchFromArchive, tarOf(t, file{name: "a.jpg", data: jpeg}, file{name: "b.jpg", data: jpeg})},
		"base64": {job.BatchFromManifest, []byte(`{"custom_id":"a","image":{"base64":"` + base64.StdEncoding.EncodeToString(jpeg) + `"}}`)},
	} {
		taken := e.memory.limit - int64(len(jpeg)) + 1 // what is left is a byte too little
		if !e.memory.take(taken) {
			t.Fatalf("%s: there is no memory", name)
		}
		b := e.submit(t, c.source, c.text)
		ended := make(chan job.Batch, 1)
		go func() {
			defer close(ended)
			ended <- e.run(t, b)
		}()
		eventually(t, name+" waits for memory", func() bool {
			e.memory.mu.Lock()
			defer e.memory.mu.Unlock()
			return e.memory.freed != nil
		})
		select {
		case b := <-ended:
			t.Fatalf("%s: it ended as %s without memory", name, b.State)
		default:
		}
		e.memory.give(taken)
		if b := <-ended; b.State != job.BatchQueued || e.memory.held != 0 {
			t.Errorf("%s: it is %s, and %d bytes stay taken", name, b.State, e.memory.held)
		}
	}
}

// TestArchiveThatUnpacksWithoutEnd: 1:1000, and nothing of it is unpacked beyond the
// bound.
func TestArchiveThatUnpacksWithoutEnd(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, 4<<20)
	for name, archive := range map[string][]byte{
		"zip":    zipOf(t, file{name: "a.bmp", data: zeros}),
		"tar.gz": gzipOf(t, tarOf(t, file{name: "a.bmp", data: zeros}, file{name: "b.bmp", data: zeros})),
	} {
		if ratio := len(zeros) / len(archive); ratio < 300 {
			t.Fatalf("%s: the archive is too large for this test: 1:%d", name, ratio)
		}
		err := archiveOf(archive).each(t.Context(), func(entry) error { return nil })
		var refused *job.BatchFailure
		if !errors.As(err, &refused) || refused.Code != job.BatchCodeInvalidArchive || !strings.Contains(refused.Message, "its own size") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzArchive(f *testing.F) {
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Add(bytes.Repeat([]byte{0}, 1024))
	f.Fuzz(func(t *testing.T, data []byte) {
		a := archiveOf(data)
		err := a.each(t.Context(), func(n entry) error {
			if n.fault == nil && (!localName(n.item.CustomID) || len(n.item.CustomID) > job.MaxCustomID) {
				t.Errorf("an entry is named %q", n.item.CustomID)
			}
			content, err := n.data()
			if len(content) > 1025 {
				t.Errorf("%d bytes were unpacked", len(content))
			}
			return err
		})
		var refused *job.BatchFailure
		if err != nil && !errors.As(err, &refused) {
			t.Errorf("ended as %v", err)
		}
	})
}

// archiveOf is an archive that may unpack to a mebibyte, of photos of a kibibyte.
func archiveOf(data []byte) *archiveFile {
	return &archiveFile{
		file: bytes.NewReader(data), bytes: int64(len(data)), unpacked: 1 << 20, limits: itemLimits{items: 100, photo: 1024},
	}
}
