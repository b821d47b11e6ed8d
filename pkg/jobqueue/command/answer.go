package command

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/nats-io/nats.go/micro"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

// answering is one command that is offered.
type answering struct {
	command Command
	service Service
	books   *books
	log     *slog.Logger
}

func (a *answering) answer(ctx context.Context, r micro.Request) {
	said, err := a.obey(ctx, r)
	if err == nil {
		err = r.Respond(said)
	} else {
		err = a.refuse(ctx, r, err)
	}
	if err != nil {
		a.log.WarnContext(ctx, "command not answered", "subject", r.Subject(), "err", err)
	}
}

// obey does what is asked, and gives the answer's bytes.
func (a *answering) obey(ctx context.Context, r micro.Request) ([]byte, error) {
	asker, err := askerOf(r.Headers())
	if err != nil {
		return nil, err
	}
	call, data := Call{By: asker}, r.Data()
	if a.command.changes {
		if data, call.DryRun, err = cutDryRun(data); err != nil {
			return nil, err
		}
	}
	answer, about, err := a.run(ctx, call, data)
	var said []byte
	if err == nil {
		said, err = json.Marshal(answer)
	}
	if a.command.changes && !call.DryRun && !moot(err) {
		a.books.write(ctx, entry{
			by: asker, action: a.service.action(a.command), subject: cmp.Or(a.service.Member, about), request: data, answer: said, err: err,
		})
	}
	if call.DryRun {
		said = markDryRun(said)
	}
	return said, err
}

// run does not let a mistake in one command end the process, and with it the work in
// hand.
func (a *answering) run(ctx context.Context, call Call, data []byte) (answer any, about string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
		}
	}()
	return a.command.run(ctx, call, data)
}

// moot says that the request made no sense, so that nothing was begun.
func moot(err error) bool {
	var p *problem.Problem
	return errors.As(err, &p) && (p.Status == http.StatusBadRequest || p.Status == http.StatusNotFound)
}

// markDryRun puts "dry_run" first into an object, so that nobody takes what would be
// done for what was done.
func markDryRun(object []byte) []byte {
	inside, isObject := bytes.CutPrefix(object, []byte("{"))
	if !isObject {
		return object
	}
	mark := `{"dry_run":true`
	if !bytes.HasPrefix(inside, []byte("}")) {
		mark += ","
	}
	return append([]byte(mark), inside...)
}

func (a *answering) refuse(ctx context.Context, r micro.Request, err error) error {
	p := problemFor(err)
	if p.Status >= http.StatusInternalServerError {
		a.log.ErrorContext(ctx, "command failed", "subject", r.Subject(), "err", err)
	}
	document, err := json.Marshal(p.Document("", ""))
	if err != nil {
		return err
	}
	return r.Error(p.Code, p.Detail, document)
}

// problemFor is what an asker may read of an error.
func problemFor(err error) *problem.Problem {
	var p *problem.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, jobstore.ErrUnavailable), errors.Is(err, jobqueue.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return problem.New(http.StatusServiceUnavailable, problem.CodeUnavailable,
			"A store did not answer in time; the service's log says which. What was done until then stands.").WithCause(err)
	default:
		return problem.New(http.StatusInternalServerError, problem.CodeInternal,
			"Something went wrong on our side; the service's log has it.").WithCause(err)
	}
}
