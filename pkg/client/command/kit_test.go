package command_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"maskfleet/pkg/client/clienttest"
	"maskfleet/pkg/client/command"
)

// person is somebody at a keyboard, with folders of their own.
type person struct {
	t       *testing.T
	home    string
	environ map[string]string
	typed   string
	heard   func(line string) // of what is written beside the results; nil: nobody listens
}

// at gives a person who speaks to the door.
func at(t *testing.T, door *clienttest.Door) *person {
	t.Helper()
	return &person{t: t, home: t.TempDir(), environ: map[string]string{"MASKFLEET_URL": door.URL, "MASKFLEET_KEY": clienttest.Key}}
}

func openDoor(t *testing.T, prepare func(*clienttest.Door)) *clienttest.Door {
	t.Helper()
	door := clienttest.NewDoor(prepare)
	t.Cleanup(door.Close)
	return door
}

func finishing(d *clienttest.Door) { d.Finishes = true }

// outcome is what a run of the command left.
type outcome struct {
	exit     int
	out, err string
}

func (p *person) run(args ...string) outcome {
	p.t.Helper()
	return p.runIn(p.t.Context(), args...)
}

func (p *person) runIn(ctx context.Context, args ...string) outcome {
	p.t.Helper()
	var out bytes.Buffer
	beside := &listener{heard: p.heard}
	exit := command.Run(ctx, command.Surroundings{
		In: strings.NewReader(p.typed), Out: &out, Err: beside,
		Getenv:       func(name string) string { return p.environ[name] },
		ConfigFolder: filepath.Join(p.home, "config"), CacheFolder: filepath.Join(p.home, "cache"),
	}, args)
	return outcome{exit, out.String(), beside.text.String()}
}

type listener struct {
	mu    sync.Mutex // guards text
	text  bytes.Buffer
	heard func(string)
}

func (l *listener) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.heard != nil {
		l.heard(string(data))
	}
	return l.text.Write(data)
}

// want checks an outcome's exit code and parts of what was printed.
func (o outcome) want(t *testing.T, exit int, parts ...string) {
	t.Helper()
	if o.exit != exit {
		t.Errorf("exit code %d, want %d\n%s%s", o.exit, exit, o.out, o.err)
	}
	for _, part := range parts {
		if !strings.Contains(o.out+o.err, part) {
			t.Errorf("it did not say %q:\n%s%s", part, o.out, o.err)
		}
	}
}

// album makes a folder of n photos.
func album(t *testing.T, n int, others ...string) string {
	t.Helper()
	folder := t.TempDir()
	for i := range n {
		photo(t, filepath.Join(folder, fmt.Sprintf("%04d.jpg", i)))
	}
	for _, name := range others {
		photo(t, filepath.Join(folder, name))
	}
	return folder
}

func photo(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, append([]byte("\xff\xd8\xff\xe0"), path...), 0o600); err != nil {
		t.Fatal(err)
	}
}

func journals(t *testing.T, p *person) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(p.home, "cache", "maskfleet", "submissions", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
