package submission

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// longestCustomID is in bytes, a limit of the front door.
const longestCustomID = 1024

// Naming says what the custom_id of a photo is made of.
type Naming string

// The ways of naming photos.
const (
	ByPath Naming = "path" // as given at the command line, with what lies below: gate-7/0001.jpg
	ByName Naming = "name" // the file's name alone: 0001.jpg
)

// Photo is a file to be submitted.
type Photo struct {
	Path        string // absolute
	CustomID    string
	ContentType string
	Bytes       int64
	ModTime     time.Time
}

// Skipped is a file in a folder that is not submitted.
type Skipped struct {
	Path   string // as given
	Reason string
}

// Found is what lies below the paths that were given.
type Found struct {
	Photos  []Photo // in the order of the arguments, within a folder by name
	Skipped []Skipped
}

// Bytes is the size of all photos.
func (f Found) Bytes() int64 {
	var sum int64
	for _, p := range f.Photos {
		sum += p.Bytes
	}
	return sum
}

// Find looks for photos of at most maxBytes (zero: any size) in files and folders,
// with their sub-folders; folders behind symbolic links are left out. A file that was
// named and is no photo is an error; one that lies in a folder is skipped. Two photos
// with one custom_id are an error.
func Find(paths []string, naming Naming, maxBytes int64) (Found, error) {
	f := finder{naming: naming, maxBytes: maxBytes, ids: make(map[string]string), seen: make(map[string]bool)}
	for _, path := range paths {
		if err := f.add(path); err != nil {
			return Found{}, err
		}
	}
	if len(f.doubled) > 0 {
		return Found{}, fmt.Errorf("photos share a custom_id:\n%s\nname them by path, or submit their folders one by one", strings.Join(f.doubled, "\n"))
	}
	return f.found, nil
}

type finder struct {
	naming   Naming
	maxBytes int64
	found    Found
	seen     map[string]bool   // absolute paths
	ids      map[string]string // custom_id to path
	doubled  []string          // the first few lines about them
}

func (f *finder) add(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		reason, err := f.file(path)
		if err == nil && reason != "" {
			err = fmt.Errorf("%s: %s", path, reason)
		}
		return err
	}
	return filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			f.skip(at, reasonOf(err))
			return nil
		case entry.IsDir():
			return nil
		}
		reason, err := f.file(at)
		if err != nil {
			reason = reasonOf(err)
		}
		if reason != "" {
			f.skip(at, reason)
		}
		return nil
	})
}

func (f *finder) skip(path, reason string) {
	f.found.Skipped = append(f.found.Skipped, Skipped{Path: path, Reason: reason})
}

// reasonOf leaves out the path, which stands beside it.
func reasonOf(err error) string {
	var detailed *fs.PathError
	if errors.As(err, &detailed) {
		err = detailed.Err
	}
	return err.Error()
}

// file takes a photo in, or gives the reason why it does not.
func (f *finder) file(path string) (reason string, err error) {
	info, err := os.Stat(path) // of what a link points to
	switch {
	case err != nil:
		return "", err
	case info.IsDir():
		return "a link to a folder", nil
	case !info.Mode().IsRegular():
		return "not a file", nil
	}
	kind, err := contentTypeOf(path)
	switch {
	case err != nil:
		return "", err
	case kind == "":
		return "not a JPEG, PNG, WebP or BMP", nil
	case f.maxBytes > 0 && info.Size() > f.maxBytes:
		return fmt.Sprintf("%d bytes, more than %d", info.Size(), f.maxBytes), nil
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	id := f.customID(path)
	switch {
	case f.seen[absolute]:
		return "", nil // given twice, wanted once
	case !utf8.ValidString(id):
		return "its name is not valid text", nil
	case len(id) > longestCustomID:
		return fmt.Sprintf("its custom_id would be longer than %d bytes", longestCustomID), nil
	}
	f.seen[absolute] = true
	f.watchFor(id, path)
	f.found.Photos = append(f.found.Photos, Photo{
		Path: absolute, CustomID: id, ContentType: kind, Bytes: info.Size(), ModTime: info.ModTime(),
	})
	return "", nil
}

func (f *finder) customID(path string) string {
	if f.naming == ByName {
		return filepath.Base(path)
	}
	return filepath.ToSlash(filepath.Clean(path))
}

func (f *finder) watchFor(id, path string) {
	const shown = 5
	if first, again := f.ids[id]; again && len(f.doubled) < shown {
		f.doubled = append(f.doubled, fmt.Sprintf("  %s: %s and %s", id, first, path))
	}
	if _, again := f.ids[id]; !again {
		f.ids[id] = path
	}
}
