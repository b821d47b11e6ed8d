package testenv

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"maskfleet/pkg/testenv/reserve"
)

// asParent makes the test binary a program that starts a child, says its pid and
// its folder, and waits to be killed.
const asParent = "TESTENV_AS_PARENT"

func TestProcessDiesWithItsParent(t *testing.T) {
	t.Parallel()
	if os.Getenv(asParent) != "" {
		beParent(t)
		return
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestProcessDiesWithItsParent$")
	parent.Env = append(os.Environ(), asParent+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 4096)
	n, err := out.Read(line)
	if err != nil {
		t.Fatalf("reading the parent's word: %v", err)
	}
	words := strings.Fields(string(line[:n]))
	if len(words) != 2 {
		t.Fatalf("parent said %q, want a pid and a folder", line[:n])
	}
	pid, err := strconv.Atoi(words[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the child does not run: %v", err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	eventually(t, "child dead", func() bool { return !running(pid) })
	eventually(t, "folder removed", func() bool { _, err := os.Stat(words[1]); return os.IsNotExist(err) })
}

func beParent(t *testing.T) {
	child, err := StartProcess(exec.Command("sleep", "600"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := reserve.Folder("test")
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString(strconv.Itoa(child.Pid()) + " " + dir + "\n")
	select {}
}

// running says whether a process lives; one that nobody has reaped yet does not.
func running(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Errorf("not within ten seconds: %s", what)
}

func TestProcessStopAndOutput(t *testing.T) {
	t.Parallel()
	p, err := StartProcess(exec.Command("sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done"))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "output", func() bool { return p.Output() == "ready\n" })
	p.Stop()
	if p.Err() == nil || p.cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("ended with %v, want exit status 3", p.Err())
	}
}

func TestStartProcessTellsOfAMissingProgram(t *testing.T) {
	t.Parallel()
	if _, err := StartProcess(exec.Command("/no/such/program")); err == nil {
		t.Error("want an error")
	}
}
