package jobqueue

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// ErrNobody means that no service answers at the subject.
var ErrNobody = errors.New("nobody answers there")

// Answer is what a service said to a request.
type Answer struct {
	Data []byte
	Code string // the error's, by the header of the framework; empty: all is well
}

// Request asks a service and waits for its answer as long as ctx allows: a command may
// take its time. Package command knows what to say.
func (q *Queue) Request(ctx context.Context, subject string, header map[string]string, data []byte) (Answer, error) {
	msg := nats.NewMsg(subject)
	msg.Data = data
	for name, value := range header {
		msg.Header.Set(name, value)
	}
	answer, err := q.nc.RequestMsgWithContext(ctx, msg)
	if errors.Is(err, nats.ErrNoResponders) {
		return Answer{}, fmt.Errorf("asking %s: %w", subject, ErrNobody)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("asking %s: %w", subject, classify(err))
	}
	return Answer{Data: answer.Data, Code: answer.Header.Get(micro.ErrorCodeHeader)}, nil
}
