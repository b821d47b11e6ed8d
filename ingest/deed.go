package ingest

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobqueue"
)

// holderOn names this run of a door on an instance, for a lease: by its first word an
// operator finds the door.
func holderOn(instance string) string {
	if instance == "" {
		return uuid.NewString()
	}
	return instance + " " + uuid.NewString()
}

// oneDeed is how long nothing may happen within one deed.
const oneDeed = time.Minute

// deed is what the door did last, for operators who ask whether a duty is done.
type deed struct {
	mu   sync.Mutex // guards last
	last jobqueue.Deed
}

// did notes photos that something was done with.
func (d *deed) did(photos int) {
	if photos == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now().UTC()
	if now.Sub(d.last.At) > oneDeed {
		d.last.Photos = 0
	}
	d.last = jobqueue.Deed{At: now, Photos: d.last.Photos + photos}
}

// told is nil if it did nothing yet.
func (d *deed) told() *jobqueue.Deed {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last.At.IsZero() {
		return nil
	}
	told := d.last
	return &told
}
