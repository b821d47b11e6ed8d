package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// maxVerified bounds the memory of verified; beyond it, all is forgotten.
const maxVerified = 10_000

// verified remembers for a while which passwords matched which hashes, by a keyed
// digest of both. A new password has a new hash, so nothing need be dropped, even
// when another process set it.
type verified struct {
	ttl    time.Duration
	secret []byte // of this process

	mu    sync.Mutex // guards until
	until map[[sha256.Size]byte]time.Time
}

func newVerified(ttl time.Duration) *verified {
	return &verified{ttl: ttl, secret: []byte(rand.Text()), until: map[[sha256.Size]byte]time.Time{}}
}

func (v *verified) digest(hash, password string) (d [sha256.Size]byte) {
	mac := hmac.New(sha256.New, v.secret)
	mac.Write([]byte(hash + "\x00" + password)) // a hash has no zero byte
	mac.Sum(d[:0])
	return d
}

func (v *verified) has(hash, password string) bool {
	d := v.digest(hash, password)
	v.mu.Lock()
	defer v.mu.Unlock()
	return time.Now().Before(v.until[d])
}

func (v *verified) add(hash, password string) {
	d := v.digest(hash, password)
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.until) >= maxVerified {
		clear(v.until)
	}
	v.until[d] = time.Now().Add(v.ttl)
}
