package stack

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// StartError says which part did not start and what it printed last.
type StartError struct {
	Part string
	Err  error
	Log  []string
}

func (e *StartError) Error() string {
	text := fmt.Sprintf("starting %s: %v", e.Part, e.Err)
	if len(e.Log) > 0 {
		text += "\n    " + strings.Join(e.Log, "\n    ")
	}
	return text
}

func (e *StartError) Unwrap() error { return e.Err }

// lastLines is what a person wants to see of a log first; a log that cannot be
// read has none.
func lastLines(path string) []string {
	const tailBytes, most = 8 << 10, 12
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	if size, err := file.Seek(0, io.SeekEnd); err == nil {
		_, _ = file.Seek(max(0, size-tailBytes), io.SeekStart)
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil
	}
	text := strings.TrimRight(string(data), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	return lines[max(0, len(lines)-most):]
}

// keepPrevious puts the log of the last stack aside, so that each log begins
// with its stack and one earlier can still be read.
func keepPrevious(path string) error {
	err := os.Rename(path, path+".previous")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
