package child

import (
	"errors"
	"fmt"
	"io"

	"maskfleet/inference-worker/slot/wire"
	"maskfleet/pkg/job"
)

// Analyze looks at one photo. What is wrong with the photo is a *job.Failure.
type Analyze func(wire.Request) (wire.Result, error)

// Serve greets the worker and answers its requests until the end of input, which
// is how a worker ends a slot.
func Serve(in io.Reader, out io.Writer, model job.Model, analyze Analyze) error {
	if err := wire.WriteHello(out, wire.Hello{Model: model}); err != nil {
		return fmt.Errorf("greeting the worker: %w", err)
	}
	for {
		request, err := wire.ReadRequest(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		result, err := analyze(request)
		if err := answer(out, result, err); err != nil {
			return fmt.Errorf("answering a request: %w", err)
		}
	}
}

func answer(out io.Writer, result wire.Result, err error) error {
	if err == nil {
		return wire.WriteResult(out, result)
	}
	var failure *job.Failure
	if !errors.As(err, &failure) {
		failure = job.Fail(job.CodeInternal, err)
	}
	return wire.WriteFailure(out, failure)
}
