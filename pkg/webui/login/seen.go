package login

import (
	"crypto/sha256"
	"sync"
	"time"

	"maskfleet/pkg/jobstore"
)

// maxSeen bounds the memory; the oldest looks are forgotten first.
const maxSeen = 1000

// seen remembers whose sessions were valid lately, for as long as sessions cannot be
// read. Tokens are kept as hashes only.
type seen struct {
	grace time.Duration

	mu    sync.Mutex // guards users
	users map[[sha256.Size]byte]sighting
}

type sighting struct {
	user jobstore.User
	at   time.Time
}

func newSeen(grace time.Duration) *seen {
	return &seen{grace: grace, users: map[[sha256.Size]byte]sighting{}}
}

func (s *seen) put(token string, user jobstore.User) {
	if s.grace <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[sha256.Sum256([]byte(token))] = sighting{user: user, at: time.Now()}
	for len(s.users) > maxSeen {
		s.dropOldest()
	}
}

func (s *seen) dropOldest() {
	var oldest [sha256.Size]byte
	var at time.Time
	for key, sight := range s.users {
		if at.IsZero() || sight.at.Before(at) {
			oldest, at = key, sight.at
		}
	}
	delete(s.users, oldest)
}

func (s *seen) get(token string) (jobstore.User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sight, there := s.users[sha256.Sum256([]byte(token))]
	if !there || time.Since(sight.at) > s.grace {
		return jobstore.User{}, false
	}
	return sight.user, true
}

func (s *seen) drop(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.users, sha256.Sum256([]byte(token)))
}
