package submission

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	journalName  = "journal.ndjson"
	manifestName = "manifest.ndjson"
)

// record is a line of a journal; what is not of its kind is left out.
type record struct {
	Kind string    `json:"kind"`
	At   time.Time `json:"at"`

	Path      string    `json:"path,omitempty"` // uploaded
	Bytes     int64     `json:"bytes,omitempty"`
	ModTime   time.Time `json:"mod_time,omitzero"`
	UploadID  string    `json:"upload_id,omitempty"`
	KeptUntil time.Time `json:"kept_until,omitzero"`

	Key     string `json:"key,omitempty"` // posting
	BatchID string `json:"batch_id,omitempty"`
}

// The kinds of records. A posting is written, to disk, before the batch is asked for:
// from then on the manifest stays as it is, and so does the idempotency key.
const (
	uploaded = "uploaded" // one photo
	posting  = "posting"
	refused  = "refused" // the posting, for good: there is no batch
	made     = "made"    // the batch
)

// journal is what a submission has done so far. It is locked for as long as it is
// open: of two equal submissions at once, the second is turned away.
type journal struct {
	folder string
	file   *os.File

	uploads map[string]record // by path
	posting *record           // not yet answered for certain; nil: none
	made    *record           // nil: not yet
}

// errBusy is another process with the same submission.
var errBusy = errors.New("the same submission is under way in another process")

func openJournal(folder string) (*journal, error) {
	for {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("making a folder for the journal: %w", err)
		}
		path := filepath.Join(folder, journalName)
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if errors.Is(err, os.ErrNotExist) {
			continue // somebody has just finished with it
		}
		if err != nil {
			return nil, fmt.Errorf("opening the journal: %w", err)
		}
		current, err := lock(file, path)
		if err != nil {
			file.Close()
			return nil, err
		}
		if !current {
			file.Close()
			continue
		}
		j := &journal{folder: folder, file: file, uploads: make(map[string]record)}
		if err := j.replay(); err != nil {
			file.Close()
			return nil, err
		}
		return j, nil
	}
}

// lock says whether the file, now locked, is still the one at path.
func lock(file *os.File, path string) (current bool, err error) {
	if err := lockFile(file); err != nil {
		return false, err
	}
	ours, err := file.Stat()
	if err != nil {
		return false, fmt.Errorf("looking at the journal: %w", err)
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(ours, there), nil
}

// replay reads what is there. A last line without its end was being written when the
// process died, and is cut off.
func (j *journal) replay() error {
	lines := bufio.NewReader(j.file)
	var whole int64
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("reading the journal %s: %w", j.file.Name(), err)
		}
		whole += int64(len(line))
		j.apply(r)
	}
	if err := j.file.Truncate(whole); err != nil {
		return fmt.Errorf("mending the journal: %w", err)
	}
	_, err := j.file.Seek(whole, io.SeekStart)
	return err
}

func (j *journal) apply(r record) {
	switch r.Kind {
	case uploaded:
		j.uploads[r.Path] = r
	case posting:
		j.posting = &r
	case refused:
		j.posting = nil
	case made:
		j.made = &r
	}
}

// note appends a record. What another process must not do again is on disk when it
// returns; a photo that was uploaded may be uploaded again.
func (j *journal) note(r record) error {
	r.At = time.Now().UTC()
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	if r.Kind != uploaded {
		if err := j.file.Sync(); err != nil {
			return fmt.Errorf("writing the journal: %w", err)
		}
	}
	j.apply(r)
	return nil
}

func (j *journal) manifestPath() string { return filepath.Join(j.folder, manifestName) }

// writeManifest has the manifest on disk, whole, when it returns.
func (j *journal) writeManifest(manifest *bytes.Buffer) error {
	file, err := os.OpenFile(j.manifestPath(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	_, err = manifest.WriteTo(file)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return nil
}

// forget removes the journal and what lies with it.
func (j *journal) forget() error {
	if err := os.RemoveAll(j.folder); err != nil {
		return fmt.Errorf("removing the journal: %w", err)
	}
	return nil
}

// restart forgets what was done, but keeps the lock.
func (j *journal) restart() error {
	j.uploads, j.posting, j.made = make(map[string]record), nil, nil
	if err := j.file.Truncate(0); err != nil {
		return fmt.Errorf("emptying the journal: %w", err)
	}
	_, err := j.file.Seek(0, io.SeekStart)
	return err
}

func (j *journal) close() error { return j.file.Close() }
