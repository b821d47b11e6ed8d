package login

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

func TestLocalPathStaysOnTheSite(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/photos?category=no_faces": "/photos?category=no_faces",
		"/photos/x#face-1":          "/photos/x#face-1",
		"":                          "/",
		"photos":                    "/",
		"//evil.example/":           "/",
		"/%2fevil.example":          "/",
		`/\evil.example`:            "/",
		"/\t/evil.example":          "/",
		"https://evil.example":      "/",
		"javascript:alert(1)":       "/",
		"///evil.example":           "/",
	} {
		if got := localPath(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

func TestSeenForgets(t *testing.T) {
	t.Parallel()
	user := jobstore.User{ID: uuid.New()}
	s := newSeen(time.Minute)
	s.put("token", user)
	if got, ok := s.get("token"); !ok || got != user {
		t.Errorf("got %v, %v", got, ok)
	}
	if _, ok := s.get("another"); ok {
		t.Error("a token that never was is known")
	}
	s.drop("token")
	if _, ok := s.get("token"); ok {
		t.Error("a session that ended is known")
	}
	for i := range maxSeen + 10 {
		s.put(string(rune(i)), user)
	}
	if len(s.users) > maxSeen {
		t.Errorf("%d sessions are kept, want at most %d", len(s.users), maxSeen)
	}
	never := newSeen(0)
	never.put("token", user)
	if len(never.users) > 0 {
		t.Error("a site without grace remembers")
	}
}

// TestSeenKnowsNobodyPastTheGrace runs on a clock of its own.
func TestSeenKnowsNobodyPastTheGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSeen(time.Minute)
		s.put("token", jobstore.User{ID: uuid.New()})
		time.Sleep(time.Minute)
		if _, ok := s.get("token"); !ok {
			t.Error("a session is forgotten within its grace")
		}
		time.Sleep(time.Nanosecond)
		if _, ok := s.get("token"); ok {
			t.Error("a session is known past its grace")
		}
	})
}
