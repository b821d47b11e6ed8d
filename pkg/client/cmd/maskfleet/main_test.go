package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"maskfleet/pkg/client/clienttest"
)

// TestKilledProcess ends the real program in the middle of a submission, by Ctrl-C
// and by a kill that it cannot see, and starts it again.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "maskfleet")
	if said, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building it: %v\n%s", err, said)
	}
	for signal, exit := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGKILL: -1} {
		for _, where := range []string{"PUT", "POST /v1/batches", "GET /v1/batches/b1/events"} {
			t.Run(fmt.Sprintf("%s at %s", signal, strings.Fields(where)[0]), func(t *testing.T) {
				t.Parallel()
				killAndGoOn(t, program, where, signal, exit)
			})
		}
	}
}

func killAndGoOn(t *testing.T, program, where string, signal syscall.Signal, exit int) {
	const photos = 60
	first := make(chan *os.Process, 1)
	var once sync.Once
	var asked atomic.Int32
	door := clienttest.NewDoor(func(d *clienttest.Door) {
		d.Before = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method != where && r.Method+" "+r.URL.Path != where {
				return false
			}
			if where == "PUT" && asked.Add(1) < photos/2 {
				return false
			}
			once.Do(func() {
				body, err := io.ReadAll(r.Body) // or nobody would see the connection end
				if err := errors.Join(err, (<-first).Signal(signal)); err != nil {
					t.Error(err)
				}
				<-r.Context().Done()
				r.Body = io.NopCloser(bytes.NewReader(body)) // the door does it all the same
			})
			return false
		}
	})
	defer door.Close()
	folder, home := t.TempDir(), t.TempDir()
	for i := range photos {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.jpg", i)), []byte("\xff\xd8\xff\xe0"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := func() (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.CommandContext(t.Context(), program, "submit", "--wait", "--format", "ndjson", folder)
		cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "MASKFLEET_URL="+door.URL, "MASKFLEET_KEY="+clienttest.Key)
		var out bytes.Buffer
		cmd.Stdout = &out
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, &out
	}
	cmd, _ := start()
	first <- cmd.Process
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != exit {
		t.Errorf("interrupted, it ended with %s, want %d", cmd.ProcessState, exit)
	}
	door.OnEvents(func() { door.Finish("b1", -1) })
	cmd, out := start()
	if err := cmd.Wait(); err != nil {
		t.Errorf("started again: %v", err)
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != photos || len(door.Batches()) != 1 {
		t.Errorf("%d results of batches %v, want %d of one", n, door.Batches(), photos)
	}
}
