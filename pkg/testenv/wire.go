package testenv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"maskfleet/pkg/jobstore"
)

// Wire stands between a store and its MariaDB and breaks when it is told to, so that
// a statement takes effect and its answer is lost.
type Wire struct {
	config jobstore.Config // through the wire
	server string          // its address
	ln     net.Listener

	mu    sync.Mutex // guards all below
	lose  []byte     // the answer to the next statement with this text
	then  func()     // when it is lost
	cut   bool       // nobody gets through
	conns map[net.Conn]struct{}
}

// NewWire lays a wire to the database of c.
func NewWire(tb testing.TB, c jobstore.Config) *Wire {
	tb.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	w := &Wire{config: c, server: c.Address, ln: ln, conns: map[net.Conn]struct{}{}}
	w.config.Address = ln.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() { w.accept(&serving) })
	tb.Cleanup(func() {
		_ = ln.Close()
		w.Cut()
		serving.Wait()
	})
	return w
}

// Config reaches the database through the wire.
func (w *Wire) Config() jobstore.Config { return w.config }

// LoseAnswer lets the next statement that contains text be carried out, and breaks
// its connection instead of bringing the answer. Between the two it calls then, if
// there is one: Cut, for instance.
func (w *Wire) LoseAnswer(text string, then func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose, w.then = []byte(text), then
}

// Cut breaks every connection, and new ones as soon as they are made.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for conn := range w.conns {
		_ = conn.Close()
	}
}

// Mend lets new connections through again.
func (w *Wire) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = false
}

func (w *Wire) accept(serving *sync.WaitGroup) {
	for {
		client, err := w.ln.Accept()
		if err != nil {
			return // closed
		}
		serving.Go(func() { w.carry(client) })
	}
}

func (w *Wire) carry(client net.Conn) {
	defer w.drop(client)
	server, err := net.Dial("tcp4", w.server)
	if err != nil {
		return
	}
	defer w.drop(server)
	if !w.keep(client, server) {
		return
	}
	var answers sync.WaitGroup
	losing := make(chan func(), 1) // what to call when the answer that is on its way is lost
	answers.Go(func() {
		w.bringAnswers(client, server, losing)
		_, _ = client.Close(), server.Close()
	})
	w.sendStatements(server, client, losing)
	_ = server.(*net.TCPConn).CloseWrite()
	answers.Wait()
}

// keep lets Cut find the connections; false means that the wire is cut.
func (w *Wire) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, conn := range conns {
		w.conns[conn] = struct{}{}
	}
	return !w.cut
}

func (w *Wire) drop(conn net.Conn) {
	_ = conn.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, conn)
}

// sendStatements passes packets on: three bytes of length, a number, the content.
func (w *Wire) sendStatements(server io.Writer, client io.Reader, losing chan<- func()) {
	for {
		var header [4]byte
		if _, err := io.ReadFull(client, header[:]); err != nil {
			return
		}
		length := binary.LittleEndian.Uint32(header[:]) & 0xffffff
		packet := make([]byte, len(header)+int(length))
		copy(packet, header[:])
		if _, err := io.ReadFull(client, packet[len(header):]); err != nil {
			return
		}
		if then, lost := w.losesAnswerTo(packet); lost {
			losing <- then
		}
		if _, err := server.Write(packet); err != nil {
			return
		}
	}
}

func (w *Wire) losesAnswerTo(packet []byte) (then func(), lost bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lose == nil || !bytes.Contains(packet, w.lose) {
		return nil, false
	}
	w.lose = nil
	return w.then, true
}

// bringAnswers ends with the connection, or with the answer that is lost, once that
// is here: by then its statement has taken effect.
func (w *Wire) bringAnswers(client io.Writer, server io.Reader, losing <-chan func()) {
	answer := make([]byte, 64<<10)
	for {
		n, err := server.Read(answer)
		select {
		case then := <-losing:
			if then != nil {
				then()
			}
			return
		default:
		}
		if _, writeErr := client.Write(answer[:n]); errors.Join(err, writeErr) != nil {
			return
		}
	}
}
