package e2e

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"testing"
)

// kill sends a signal that ends the part and waits until its process is gone.
func (e *env) kill(t *testing.T, part string, sig syscall.Signal) {
	t.Helper()
	if err := e.Kill(part, sig); err != nil {
		t.Fatalf("killing %s: %v", part, err)
	}
}

// signal sends a signal that does not end the part.
func (e *env) signal(t *testing.T, part string, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(e.Part(part).PID(), sig); err != nil {
		t.Fatalf("signalling %s: %v", part, err)
	}
}

func (e *env) start(t *testing.T, part string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := e.StartPart(ctx, part); err != nil {
		t.Fatalf("starting %s: %v", part, err)
	}
	if part == "ingest" {
		eventually(t, "the balancer to see the door", e.doorIsOpen)
	}
}

// doorIsOpen asks as a client does, through the balancer, which looks at a door that
// has come back only every now and then.
func (e *env) doorIsOpen() error {
	resp, err := e.web.Get(e.info.URLs.Web + "/readyz")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// stop ends the part as a deploy would, by SIGTERM.
func (e *env) stop(t *testing.T, part string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := e.StopPart(ctx, part); err != nil {
		t.Fatalf("stopping %s: %v", part, err)
	}
}
