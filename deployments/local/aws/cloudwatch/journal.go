package cloudwatch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// mostLines may be added to a journal, and as many again as it had, before it is begun
// anew with what is still worth keeping.
const mostLines = 100_000

// journal keeps samples in the order of their coming, one a line. A line that a killed
// process left half written is passed over.
type journal struct {
	path  string
	worth func() []sample // what to begin anew with
	file  *os.File
	lines int
	limit int // of lines
}

func openJournal(dir string, remember func(sample), worth func() []sample) (*journal, error) {
	j := &journal{path: filepath.Join(dir, "cloudwatch.jsonl"), worth: worth}
	if err := j.read(remember); err != nil {
		return nil, err
	}
	return j, j.begin()
}

// longestSample is more than the largest metric that a request may hold takes as JSON,
// where a byte may become six.
const longestSample = 8 << 20

func (j *journal) read(remember func(sample)) error {
	file, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the metrics: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, longestSample)
	for lines.Scan() {
		var s sample
		if json.Unmarshal(lines.Bytes(), &s) == nil {
			remember(s)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading the metrics: %w", err)
	}
	return nil
}

// begin replaces the file by one that holds what is worth keeping.
func (j *journal) begin() error {
	kept := j.worth()
	fresh := j.path + ".new"
	file, err := os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("keeping the metrics: %w", err)
	}
	text, err := encode(kept)
	if err == nil {
		_, err = file.Write(text)
	}
	if err == nil {
		err = os.Rename(fresh, j.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keeping the metrics: %w", err), file.Close())
	}
	if j.file != nil {
		_ = j.file.Close() // replaced
	}
	j.file, j.lines, j.limit = file, len(kept), mostLines+2*len(kept)
	return nil
}

func encode(samples []sample) ([]byte, error) {
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	for _, s := range samples {
		if err := to.Encode(s); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// write is called by one at a time.
func (j *journal) write(samples []sample) error {
	if j.lines > j.limit {
		if err := j.begin(); err != nil {
			return err
		}
	}
	text, err := encode(samples)
	if err == nil {
		_, err = j.file.Write(text)
	}
	if err != nil {
		return fmt.Errorf("keeping the metrics: %w", err)
	}
	j.lines += len(samples)
	return nil
}

func (j *journal) close() error { return j.file.Close() }
