package jobqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// StreamUse is how full a stream is.
type StreamUse struct {
	Name            string
	Messages        int
	MaxMessages     int // 0: as many as fit
	Bytes, MaxBytes int64
	Replicas        int
	Oldest          time.Time // message; zero: there is none
}

// Streams says how full the streams and buckets are.
func (q *Queue) Streams(ctx context.Context) ([]StreamUse, error) {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	var all []StreamUse
	for _, wanted := range q.streams() {
		stream, err := q.js.Stream(ctx, wanted.Name)
		if err != nil {
			return nil, fmt.Errorf("reading the use of %s: %w", wanted.Name, classify(err))
		}
		info := stream.CachedInfo() // of this very moment: Stream asked for it
		use := StreamUse{
			Name: wanted.Name, Messages: int(info.State.Msgs), MaxMessages: max(int(info.Config.MaxMsgs), 0),
			Bytes: int64(info.State.Bytes), MaxBytes: max(info.Config.MaxBytes, 0), Replicas: info.Config.Replicas,
		}
		if use.Messages > 0 {
			use.Oldest = info.State.FirstTime
		}
		all = append(all, use)
	}
	return all, nil
}

// ServerVersion is that of the broker to which the connection leads, or led last.
func (q *Queue) ServerVersion() string { return q.nc.ConnectedServerVersion() }

// Responder is a process that answers commands.
type Responder struct {
	Service string        // "maskfleet-manager"
	ID      string        // of this run
	Version string        // of the build
	Took    time.Duration // until it answered
}

// quiet is how long nobody must have answered for all to have done so.
const quiet = 400 * time.Millisecond

// Responders asks who answers commands, as `nats micro ping` does, and waits until no
// more answers come.
func (q *Queue) Responders(ctx context.Context) ([]Responder, error) {
	inbox := q.nc.NewInbox()
	answers, err := q.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("asking who answers: %w", classify(err))
	}
	defer func() { _ = answers.Unsubscribe() }() // an error means that it is gone
	began := time.Now()
	if err := q.nc.PublishRequest("$SRV.PING", inbox, nil); err != nil {
		return nil, fmt.Errorf("asking who answers: %w", classify(err))
	}
	var all []Responder
	for ctx.Err() == nil {
		msg, err := answers.NextMsg(quiet)
		if errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("asking who answers: %w", classify(err))
		}
		var p micro.Ping
		if err := json.Unmarshal(msg.Data, &p); err == nil && p.Name != "" {
			all = append(all, Responder{Service: p.Name, ID: p.ID, Version: p.Version, Took: time.Since(began)})
		}
	}
	return all, ctx.Err()
}
