package jobstore_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// open gives a store on a database of its own, and where that is.
func open(tb testing.TB) (jobstore.Config, *jobstore.Store) {
	tb.Helper()
	config := testenv.MariaDB(tb)
	store, err := jobstore.Open(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return config, store
}

// rawDB is a way to the tables past the store.
func rawDB(tb testing.TB, c jobstore.Config) *sql.DB {
	tb.Helper()
	d := mysql.NewConfig()
	d.Net, d.Addr, d.User, d.Passwd, d.DBName = "tcp", c.Address, c.User, c.Password, c.Database
	d.ParseTime, d.InterpolateParams = true, true
	connector, err := mysql.NewConnector(d)
	if err != nil {
		tb.Fatal(err)
	}
	db := sql.OpenDB(connector)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

func newID(tb testing.TB) job.ID {
	tb.Helper()
	id, err := job.NewID()
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

// uploaded is a photo as a door accepts it, of a new owner.
func uploaded(tb testing.TB, s *jobstore.Store) job.Photo {
	tb.Helper()
	return job.Photo{
		ID: newID(tb), OwnerID: testenv.Owner(tb, s), Lane: job.LaneInteractive,
		Source: job.SourceUpload, Filename: "gate 7 – früh.jpg", ContentType: "image/jpeg",
		Bytes: 4321, Width: 640, Height: 480, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		Metadata: map[string]string{"gate": "7"}, TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		CreatedAt: time.Now().UTC().Truncate(time.Microsecond), OriginalKey: "2026-01-02/x/original",
		Row: job.Accepted(),
	}
}

// accept stores an uploaded photo.
func accept(tb testing.TB, s *jobstore.Store) job.Photo {
	tb.Helper()
	p := uploaded(tb, s)
	if err := s.Accept(tb.Context(), p); err != nil {
		tb.Fatal(err)
	}
	return p
}

// mustClaim claims a photo's publication and gives the fence.
func mustClaim(tb testing.TB, s *jobstore.Store, id job.ID, publication int) int {
	tb.Helper()
	p, refusal, _, err := s.Claim(tb.Context(), id, publication, "worker", far)
	if err != nil || refusal != job.RefusedNone {
		tb.Fatalf("claiming: refused %q, %v", refusal, err)
	}
	return p.Row.Fence
}

// must fails the test unless a transition changed the row.
func must(tb testing.TB) func(changed bool, err error) {
	return func(changed bool, err error) {
		tb.Helper()
		if err != nil || !changed {
			tb.Fatalf("transition: changed %t, %v", changed, err)
		}
	}
}

// mustNot fails the test if a transition changed the row.
func mustNot(tb testing.TB) func(changed bool, err error) {
	return func(changed bool, err error) {
		tb.Helper()
		if err != nil || changed {
			tb.Fatalf("transition: changed %t, %v, want a refusal", changed, err)
		}
	}
}

func find(tb testing.TB, s *jobstore.Store, id job.ID) job.Photo {
	tb.Helper()
	p, err := s.Find(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}
