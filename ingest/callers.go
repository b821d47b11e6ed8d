package ingest

import (
	"crypto/sha256"
	"sync"
	"time"
)

// rememberedCallers bounds the memory of callers.
const rememberedCallers = 10_000

// callers remembers for a moment whose an API key is, so that who polls a result that
// Redis has costs MySQL one question a second and not one each. A key that is revoked,
// or whose account is closed, may be good for that moment longer.
type callers struct {
	goodFor time.Duration // zero: nothing is remembered

	mu    sync.Mutex // guards known
	known map[[sha256.Size]byte]knownCaller
}

type knownCaller struct {
	who   caller
	until time.Time
}

func newCallers(goodFor time.Duration) *callers {
	return &callers{goodFor: goodFor, known: map[[sha256.Size]byte]knownCaller{}}
}

func (c *callers) find(key string) (caller, bool) {
	if c.goodFor == 0 || key == "" {
		return caller{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found, there := c.known[sha256.Sum256([]byte(key))]
	return found.who, there && time.Now().Before(found.until)
}

func (c *callers) remember(key string, who caller) {
	if c.goodFor == 0 || key == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= rememberedCallers {
		clear(c.known)
	}
	c.known[sha256.Sum256([]byte(key))] = knownCaller{who: who, until: time.Now().Add(c.goodFor)}
}

// forget makes this door ask again about everybody.
func (c *callers) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.known)
}
