package stack

import "testing"

// TestStacksShareNoPort, although nobody listens on any of them yet.
func TestStacksShareNoPort(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	one, another := openPorts(t), openPorts(t)
	port, err := one.free()
	if err != nil {
		t.Fatal(err)
	}
	for _, stack := range []*portPicker{one, another} {
		if got, err := stack.prefer(port); err != nil || got == port {
			t.Errorf("port %d was given out again: got %d, %v", port, got, err)
		}
	}
	if err := one.release(); err != nil {
		t.Fatal(err)
	}
	if got, err := another.prefer(port); err != nil || got != port {
		t.Errorf("port %d was given back, but not out: got %d, %v", port, got, err)
	}
}

func openPorts(t *testing.T) *portPicker {
	t.Helper()
	p, err := newPortPicker()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.release(); err != nil {
			t.Error(err)
		}
	})
	return p
}
