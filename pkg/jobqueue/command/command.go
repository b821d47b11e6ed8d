package command

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// usualTimeout is shorter than the nats command waits, so that its user reads why.
const usualTimeout = 4 * time.Second

// NoReason stands where somebody could have said why, and did not, and something must
// stand.
const NoReason = "no reason given"

// Call is what a changing command knows beside its request.
type Call struct {
	By     Asker
	DryRun bool // say what would be done, and do nothing
}

// Command is one thing that can be asked for. Read and Change make it.
type Command struct {
	// Path is the subject behind "maskfleet." and the service's area: "dead.redrive".
	Path string
	// Does is a sentence for `nats micro info`.
	Does string
	// Timeout bounds it; 0 is the usual one, a little less than the nats command waits.
	Timeout time.Duration

	changes  bool
	examples [2]any // a request and its answer
	run      func(context.Context, Call, []byte) (answer any, about string, err error)
}

// Read makes a command that changes nothing. The request and the answer are examples,
// shown by `nats micro info`; an error that is no problem.Problem, nor a store's, is
// logged and told as an internal one.
func Read[Q, A any](path, does string, request Q, answer A, do func(context.Context, Q) (A, error)) Command {
	return Command{
		Path: path, Does: does, examples: [2]any{request, answer},
		run: func(ctx context.Context, _ Call, data []byte) (any, string, error) {
			q, err := decode[Q](data)
			if err != nil {
				return nil, "", err
			}
			answer, err := do(ctx, q)
			return answer, "", err
		},
	}
}

// Change makes a command that changes something: it takes "dry_run" beside the fields
// of Q, and is audited. A Q with the method Concerns() string names what the record is
// about. The answer must be an object, and says of a dry run what would be done.
func Change[Q, A any](path, does string, request Q, answer A, do func(context.Context, Call, Q) (A, error)) Command {
	return Command{
		Path: path, Does: does, changes: true, examples: [2]any{request, answer},
		run: func(ctx context.Context, call Call, data []byte) (any, string, error) {
			q, err := decode[Q](data)
			if err != nil {
				return nil, "", err
			}
			answer, err := do(ctx, call, q)
			return answer, about(q), err
		},
	}
}

// about is what a request concerns, if it says so.
func about(request any) string {
	if r, says := request.(interface{ Concerns() string }); says {
		return r.Concerns()
	}
	return ""
}

// Within gives the command a time of its own to take.
func (c Command) Within(d time.Duration) Command {
	c.Timeout = d
	return c
}

// name is the endpoint's, which the framework wants without dots.
func (c Command) name() string { return strings.ReplaceAll(c.Path, ".", "-") }

// metadata is what `nats micro info` shows of the command.
func (c Command) metadata() (map[string]string, error) {
	request, err := json.Marshal(c.examples[0])
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(c.examples[1])
	if err != nil {
		return nil, err
	}
	m := map[string]string{"does": c.Does, "request": string(request), "answer": string(answer)}
	if c.changes {
		m["changes"] = `yes; "dry_run": true only says what it would do`
	}
	return m, nil
}
