package ingest

import (
	"errors"
	"net/http"

	"maskfleet/pkg/problem"
	"maskfleet/pkg/strictjson"
)

// readJSON reads a request's body strictly.
func readJSON(body []byte, request any) error {
	err := strictjson.Read(body, request)
	var fault *strictjson.Fault
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &fault):
		return problem.From(err)
	case fault.Field == "":
		return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "The JSON body "+fault.Why+".").WithCause(err)
	case fault.Unknown:
		return problem.New(http.StatusBadRequest, problem.CodeUnexpectedParameter, "The JSON body has a field that is not known.").
			WithField(fault.Field, fault.Why).WithCause(err)
	default:
		return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "A field of the JSON body is not what is wanted there.").
			WithField(fault.Field, fault.Why).WithCause(err)
	}
}
