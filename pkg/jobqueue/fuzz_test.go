package jobqueue

import (
	"errors"
	"strings"
	"testing"

	"maskfleet/pkg/job"
)

// Whatever lies in JOBS, it is either a message of this build at its own subject or
// is marked as one that cannot be read.
func FuzzDecode(f *testing.F) {
	const id = "0193b1f0-7a00-7000-8000-000000000001"
	const good = `{"v":1,"photo_id":"` + id + `","lane":"batch","publication":1}`
	f.Add("jobs.batch."+id, []byte(good))
	f.Add("jobs.interactive."+id, []byte(good))
	f.Add("jobs.batch."+strings.ToUpper(id), []byte(good))
	f.Add("jobs.batch."+id, []byte(`{"v":2}`))
	f.Add("jobs.batch."+id, []byte(`{"v":1,"photo_id":"`+id+`","lane":"a.b","publication":-1}`))
	f.Add("jobs.batch.x", []byte("\x00"))
	f.Add("", []byte(nil))
	f.Fuzz(func(t *testing.T, subject string, data []byte) {
		m, err := decode(subject, data)
		switch {
		case err == nil:
			if m.SchemaVersion != job.SchemaVersion || m.Publication < 1 || JobSubject(m.Lane, m.PhotoID) != subject {
				t.Errorf("took %+v at %q for a message", m, subject)
			}
			again, err := m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if back, err := decode(subject, again); err != nil || back != m {
				t.Errorf("got %+v, %v after writing it again, want %+v", back, err, m)
			}
		case !errors.Is(err, job.ErrMalformed) && !errors.Is(err, job.ErrSchemaVersion):
			t.Errorf("error %v says nothing of what to do", err)
		}
	})
}
