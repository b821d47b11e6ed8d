package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/problem"
)

// requester is the broker as an asker sees it.
type requester interface {
	Request(ctx context.Context, subject string, header map[string]string, data []byte) (jobqueue.Answer, error)
}

// Ask asks for a command by its whole subject. For the manager's connection alone, by
// is believed: the person at its page. An error of the command is its problem.Problem.
func Ask[A any](ctx context.Context, broker requester, subject string, by Asker, request any) (answer A, err error) {
	data, err := json.Marshal(request)
	if err != nil {
		return answer, fmt.Errorf("asking %s: %w", subject, err)
	}
	said, err := broker.Request(ctx, subject, map[string]string{askerHeader: by.Name, viaHeader: string(by.Via)}, data)
	switch {
	case errors.Is(err, jobqueue.ErrNobody):
		return answer, problem.New(http.StatusServiceUnavailable, problem.CodeUnavailable,
			"Nobody answers this command at the moment.").WithCause(err)
	case err != nil:
		return answer, problem.Unavailable(err)
	case said.Code != "":
		return answer, problemOf(subject, said)
	}
	if err := json.Unmarshal(said.Data, &answer); err != nil {
		return answer, fmt.Errorf("reading the answer of %s: %w", subject, err)
	}
	return answer, nil
}

// Outcome says in a sentence, after a blank, what an asker that got no answer may believe
// of what it asked for; empty where the command itself has said it.
func Outcome(err error) string {
	switch {
	case errors.Is(err, jobqueue.ErrNobody):
		return " Nothing was done."
	case errors.Is(err, jobqueue.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return " It may have been done, or be going on; look before you ask again."
	}
	return ""
}

func problemOf(subject string, said jobqueue.Answer) error {
	var d problem.Document
	if err := json.Unmarshal(said.Data, &d); err != nil || d.Code == "" {
		return fmt.Errorf("asking %s: %s", subject, said.Code)
	}
	p := problem.New(d.Status, d.Code, d.Detail)
	p.Errors = d.Errors
	return p
}
