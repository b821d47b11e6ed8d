package spawn_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"maskfleet/deployments/local/spawn"
)

// TestChildrenDieWithTheirParent: this test starts itself as the parent, learns the
// child's number and kills the parent.
func TestChildrenDieWithTheirParent(t *testing.T) {
	if os.Getenv("SPAWN_PARENT") != "" {
		parent(t)
		return
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestChildrenDieWithTheirParent$")
	cmd.Env = append(os.Environ(), "SPAWN_PARENT=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	line, err := bufio.NewReader(out).ReadString('\n')
	if _, scanErr := fmt.Sscanf(line, "child %d", &pid); err != nil || scanErr != nil {
		t.Fatalf("the parent says %q: %v, %v", line, err, scanErr)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for ends := time.Now().Add(time.Minute); running(pid); {
		if time.Now().After(ends) {
			t.Fatalf("the child %d outlives its parent", pid)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// parent starts a child from a goroutine whose own thread ends at once.
func parent(t *testing.T) {
	s := spawn.New()
	cmd := exec.Command("sleep", "1000")
	started := make(chan error)
	go func() { started <- s.Start(cmd) }()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(cmd.Process.Pid); err != nil || group != cmd.Process.Pid {
		t.Fatalf("the child is in the group %d, %v; want its own", group, err)
	}
	fmt.Printf("child %d\n", cmd.Process.Pid)
	_ = cmd.Wait() // never
}

func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
