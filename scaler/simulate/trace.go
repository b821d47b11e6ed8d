package simulate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrTrace is a file that is no trace.
var ErrTrace = errors.New("not a trace")

// maxSeconds bounds how long a trace or a recording can be: 120 days.
const maxSeconds = 120 * 24 * 3600

// OpenLoad gives the built-in trace of that name or reads the file.
func OpenLoad(name string) (Load, error) {
	for _, m := range makers() {
		if m.name == name {
			return m.make(), nil
		}
	}
	file, err := os.Open(name)
	if err != nil {
		return Load{}, fmt.Errorf("%w; built in are %s", err, strings.Join(BuiltIn(), ", "))
	}
	defer file.Close()
	load, err := ReadLoad(file)
	if err != nil {
		return Load{}, fmt.Errorf("reading the trace %s: %w", name, err)
	}
	load.Name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	return load, nil
}

// ReadLoad reads lines of `minute,requests` or `second,requests` below a header that
// says which. Rows that are missing mean no requests; rows of one bin are added up.
func ReadLoad(in io.Reader) (Load, error) {
	lines := bufio.NewScanner(in)
	load := Load{}
	for number := 1; lines.Scan(); number++ {
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" {
			continue
		}
		first, second, found := strings.Cut(text, ",")
		if !found {
			return Load{}, fmt.Errorf("%w: line %d has no comma", ErrTrace, number)
		}
		first, second = strings.TrimSpace(first), strings.TrimSpace(second)
		if load.BinSeconds == 0 {
			seconds, err := binSeconds(first)
			if err != nil {
				return Load{}, err
			}
			load.BinSeconds = seconds
			continue
		}
		if err := load.add(first, second); err != nil {
			return Load{}, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return Load{}, fmt.Errorf("reading lines: %w", err)
	}
	for _, requests := range load.Requests {
		if requests > 0 {
			return load, nil
		}
	}
	return Load{}, fmt.Errorf("%w: it has no requests", ErrTrace)
}

func binSeconds(header string) (int, error) {
	switch strings.ToLower(header) {
	case "second":
		return 1, nil
	case "minute":
		return 60, nil
	default:
		return 0, fmt.Errorf("%w: the first line is %q, want minute,requests or second,requests", ErrTrace, header)
	}
}

func (l *Load) add(bin, requests string) error {
	at, err := strconv.Atoi(bin)
	if err != nil || at < 0 || at >= maxSeconds/l.BinSeconds {
		return fmt.Errorf("%w: %q is no bin from 0 on, within 120 days", ErrTrace, bin)
	}
	count, err := strconv.ParseFloat(requests, 64)
	if err != nil || !(count >= 0 && count <= 1e9) {
		return fmt.Errorf("%w: %q is no number of requests", ErrTrace, requests)
	}
	for len(l.Requests) <= at {
		l.Requests = append(l.Requests, 0)
	}
	l.Requests[at] += count
	return nil
}
