package ec2

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"maskfleet/deployments/local/aws/faults"
	"maskfleet/deployments/local/aws/host"
)

// slowHost takes its time to boot a machine, and knows none before.
type slowHost struct {
	booting chan struct{} // closed when the first boot has begun
	goOn    chan struct{} // closed by the test, to let it end

	mu      sync.Mutex // guards the rest
	began   sync.Once
	booted  bool
	reads   map[string]string // tags, as a machine would read them
	tooSoon int               // told of a machine that was not there
}

func (h *slowHost) Network(context.Context) (netip.Prefix, error) {
	return netip.MustParsePrefix("127.9.0.0/16"), nil
}

func (h *slowHost) Machines(context.Context) ([]host.Status, error) { return nil, nil }

func (h *slowHost) Boot(ctx context.Context, spec host.Spec) error {
	h.began.Do(func() { close(h.booting) })
	select {
	case <-h.goOn:
	case <-ctx.Done():
		return ctx.Err()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.booted, h.reads = true, spec.Metadata.Tags
	return nil
}

func (h *slowHost) ShutDown(context.Context, string, time.Duration) error { return nil }

func (h *slowHost) Tell(_ context.Context, m host.Metadata) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.booted {
		h.tooSoon++
		return nil
	}
	h.reads = m.Tags
	return nil
}

func openSlow(t *testing.T, h *slowHost) *EC2 {
	t.Helper()
	e, err := Open(t.Context(), Config{
		Dir: t.TempDir(), Region: "eu-central-1", AccountID: "000000000000", Images: []Image{{ID: "ami-0123456789abcdef0"}},
		Timing: Timing{Forgotten: time.Hour},
	}, h, &faults.Set{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.stop(); e.drives.Wait() })
	return e
}

func oneInstance(token string) runRequest {
	return runRequest{
		launch:   launch{ImageID: "ami-0123456789abcdef0", InstanceType: "local.full", MetadataOptions: &metadataRequest{InstanceMetadataTags: "enabled"}},
		MinCount: 1, MaxCount: 1, ClientToken: token,
	}
}

// TestTagsReachAMachineThatBoots: what is changed while a boot is on its way must not be
// told to nobody, nor be overtaken by what the boot began with.
func TestTagsReachAMachineThatBoots(t *testing.T) {
	t.Parallel()
	h := &slowHost{booting: make(chan struct{}), goOn: make(chan struct{})}
	e := openSlow(t, h)
	out, err := e.runInstances(t.Context(), oneInstance(""))
	if err != nil {
		t.Fatal(err)
	}
	<-h.booting
	tagged := make(chan error)
	go func() {
		value := "b"
		_, err := e.createTags(t.Context(), tagsRequest{ResourceIDs: []string{out.Instances[0].ID}, Tags: []deletedTag{{"a", &value}}})
		tagged <- err
	}()
	for { // the tag is kept
		e.mu.Lock()
		kept := len(e.kept.Instances[out.Instances[0].ID].Tags)
		e.mu.Unlock()
		if kept > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	close(h.goOn)
	if err := <-tagged; err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tooSoon > 0 || h.reads["a"] != "b" {
		t.Errorf("the machine reads %v, and was told %d times before it was there", h.reads, h.tooSoon)
	}
}

// TestClientTokensAreForgotten after a day, and until then mean the same.
func TestClientTokensAreForgotten(t *testing.T) {
	t.Parallel()
	h := &slowHost{booting: make(chan struct{}), goOn: make(chan struct{})}
	close(h.goOn)
	e := openSlow(t, h)
	first, err := e.runInstances(t.Context(), oneInstance("t"))
	if err != nil {
		t.Fatal(err)
	}
	tidied := func(after time.Duration) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if err := e.tidy(time.Now().Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	tidied(tokenLife - time.Minute)
	again, err := e.runInstances(t.Context(), oneInstance("t"))
	if err != nil || again.Instances[0].ID != first.Instances[0].ID {
		t.Errorf("within a day: %+v, %v; want %s again", again.Instances, err, first.Instances[0].ID)
	}
	if n := len(e.kept.Launches["t"].Fingerprint); n != 64 {
		t.Errorf("the fingerprint has %d characters, want those of a digest", n)
	}
	tidied(tokenLife + time.Minute)
	if len(e.kept.Launches) > 0 {
		t.Errorf("after a day %v are kept", e.kept.Launches)
	}
}

// TestTemplateVersionOfAToken: the same token in the same words is the same version.
func TestTemplateVersionOfAToken(t *testing.T) {
	t.Parallel()
	h := &slowHost{booting: make(chan struct{}), goOn: make(chan struct{})}
	e := openSlow(t, h)
	if _, err := e.createTemplate(t.Context(), createTemplateRequest{Name: "web", Data: launch{InstanceType: "local.full"}}); err != nil {
		t.Fatal(err)
	}
	in := createVersionRequest{Name: "web", Data: launch{InstanceType: "local.half"}, ClientToken: "t"}
	for range 2 {
		if out, err := e.createTemplateVersion(t.Context(), in); err != nil || out.Version.Number != 2 {
			t.Errorf("version %d, %v; want 2", out.Version.Number, err)
		}
	}
	in.Description = "another"
	if _, err := e.createTemplateVersion(t.Context(), in); err == nil {
		t.Error("other words under the same token were taken")
	}
}

func TestGroupsBesideAnInterface(t *testing.T) {
	t.Parallel()
	h := &slowHost{booting: make(chan struct{}), goOn: make(chan struct{})}
	e := openSlow(t, h)
	in := oneInstance("")
	in.SecurityGroupIDs, in.NetworkInterfaces = []string{e.group()}, []networkRequest{{SubnetID: e.zones[0].subnet}}
	if _, err := e.runInstances(t.Context(), in); err == nil {
		t.Error("security groups beside an interface were overlooked")
	}
}
