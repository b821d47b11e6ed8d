package jobqueue

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"maskfleet/pkg/job"
)

// The library's Fetch is not used: when its context ends it drops what is on its
// way, which then lies with nobody until AckWait is over, and it does not notice
// that the broker went away with the question.

// FetchNow takes a photo that waits in the lane, or gives nil if none does.
func (q *Queue) FetchNow(ctx context.Context, lane job.Lane) (*Delivery, error) {
	d, err := q.fetch(ctx, lane, pullRequest{Batch: 1, NoWait: true})
	if err != nil {
		return nil, fmt.Errorf("fetching from %s: %w", lane, err)
	}
	return d, nil
}

// FetchWait takes the lane's next photo, or gives nil if none comes within wait.
// It asks for exactly one, and ends at once when ctx does: a photo already on its
// way is then put back, and the error is that of ctx.
func (q *Queue) FetchWait(ctx context.Context, lane job.Lane, wait time.Duration) (*Delivery, error) {
	d, err := q.fetch(ctx, lane, pullRequest{Batch: 1, Expires: wait})
	if err != nil {
		return nil, fmt.Errorf("waiting at %s: %w", lane, err)
	}
	return d, nil
}

// pullRequest is the question "the next message, please" in JetStream's words.
type pullRequest struct {
	Batch   int           `json:"batch"`
	Expires time.Duration `json:"expires,omitempty"`
	NoWait  bool          `json:"no_wait,omitempty"`
}

func (q *Queue) fetch(ctx context.Context, lane job.Lane, request pullRequest) (*Delivery, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	broken := q.link.broken()
	p, err := q.ask(lane, request)
	if err != nil {
		return nil, classify(err)
	}
	unanswered := time.NewTimer(request.Expires + requestTimeout)
	defer unanswered.Stop()
	select {
	case answer := <-p.answer:
		p.end()
		return q.deliver(answer)
	case <-ctx.Done():
		p.withdraw()
		return nil, ctx.Err()
	case <-broken:
		p.withdraw()
		return nil, fmt.Errorf("%w: connection lost", ErrUnavailable)
	case <-unanswered.C:
		p.withdraw()
		return nil, fmt.Errorf("%w: no answer", ErrUnavailable)
	}
}

// deliver makes a delivery of the broker's answer, nil if it says "none".
func (q *Queue) deliver(answer *nats.Msg) (*Delivery, error) {
	if isDelivery(answer) {
		return newDelivery(q, answer), nil
	}
	switch status := answer.Header.Get(statusHeader); status {
	case strconv.Itoa(http.StatusNotFound), strconv.Itoa(http.StatusRequestTimeout):
		return nil, nil
	case strconv.Itoa(http.StatusServiceUnavailable): // nobody listens where the consumer would
		return nil, ErrNoStream
	default: // consumer deleted, server shutting down, leader changed, too many pulls
		return nil, fmt.Errorf("%w: status %s %s", ErrUnavailable, status, answer.Header.Get("Description"))
	}
}

// isDelivery tells a message from a status: only a message can be acknowledged.
func isDelivery(answer *nats.Msg) bool { return answer.Reply != "" }

// pull is one question for one message, with an inbox of its own.
type pull struct {
	inbox  *nats.Subscription
	answer chan *nats.Msg // holds one

	mu        sync.Mutex // guards withdrawn, and that nothing enters answer after it
	withdrawn bool
}

func (q *Queue) ask(lane job.Lane, request pullRequest) (*pull, error) {
	data, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	p := &pull{answer: make(chan *nats.Msg, 1)}
	if p.inbox, err = q.nc.Subscribe(q.nc.NewInbox(), p.receive); err != nil {
		return nil, err
	}
	if err := q.nc.PublishRequest(pullSubject(lane), p.inbox.Subject, data); err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

// receive runs in the subscription's own goroutine.
func (p *pull) receive(answer *nats.Msg) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.withdrawn {
		select {
		case p.answer <- answer:
			return
		default:
		}
	}
	putBack(answer)
}

// end is for a pull that was answered: nothing more will come.
func (p *pull) end() { _ = p.inbox.Unsubscribe() } // fails only on a connection that is gone, and the inbox with it

// withdraw takes the question back. The broker is told so, and the inbox lives on
// until it has heard it, so that a photo sent before that is put back and not lost.
func (p *pull) withdraw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.withdrawn = true
	select {
	case answer := <-p.answer:
		putBack(answer)
	default:
	}
	_ = p.inbox.Drain() // fails only on a connection that is gone, and the inbox with it
}

// putBack gives a message nobody waits for to the next who asks. On a connection
// that is gone it comes again after AckWait.
func putBack(answer *nats.Msg) {
	if isDelivery(answer) {
		_ = answer.Respond([]byte(nakBody))
	}
}
