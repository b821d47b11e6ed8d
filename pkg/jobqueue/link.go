package jobqueue

import "sync"

// link tells who waits for an answer that the connection it was asked on is gone:
// the broker forgets a pull with its connection, and nobody would ever answer.
type link struct {
	mu   sync.Mutex    // guards gone
	gone chan struct{} // closed by breakUp, which puts a new one in its place
}

func newLink() *link { return &link{gone: make(chan struct{})} }

// broken is closed when the present connection is lost.
func (l *link) broken() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gone
}

func (l *link) breakUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.gone)
	l.gone = make(chan struct{})
}
