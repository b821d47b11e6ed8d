package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"maskfleet/pkg/cache"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

// storeProblem turns an error of a store into what the client is told: that a store
// is away (503), that there is no such thing (404), or that we made a mistake (500).
func storeProblem(doing string, err error) error {
	err = fmt.Errorf("%s: %w", doing, err)
	switch {
	case away(err):
		return problem.Unavailable(err)
	case errors.Is(err, jobstore.ErrNotFound), errors.Is(err, imagestore.ErrNotFound):
		return notFound().WithCause(err)
	default:
		return err
	}
}

// away says that a store could not be reached, or not in time, or is not set up.
func away(err error) bool {
	for _, trouble := range []error{
		jobstore.ErrUnavailable, imagestore.ErrUnavailable, imagestore.ErrDenied, imagestore.ErrNoBucket,
		cache.ErrUnavailable, jobqueue.ErrUnavailable,
		context.DeadlineExceeded, context.Canceled,
	} {
		if errors.Is(err, trouble) {
			return true
		}
	}
	return false
}

// notFound is also the answer for what belongs to somebody else.
func notFound() *problem.Problem {
	return problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such photo.")
}
