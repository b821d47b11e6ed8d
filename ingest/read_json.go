package ingest

import (
	"net/http"

	"maskfleet/pkg/problem"
	"maskfleet/pkg/strictjson"
)

// readJSON reads a request's body strictly.
func readJSON(body []byte, request any) error {
	err := strictjson.Read(body, request)
	if err == nil {
		return nil
	}
	fault := strictjson.FaultIn(err)
	refuse := func(code, detail string) *problem.Problem {
		return problem.New(http.StatusBadRequest, code, detail).WithCause(err)
	}
	switch {
	case fault.Field == "":
		return refuse(problem.CodeInvalidRequest, "The JSON body "+fault.Why+".")
	case fault.Unknown:
		return refuse(problem.CodeUnexpectedParameter, "The JSON body has a field that is not known.").WithField(fault.Field, fault.Why)
	default:
		return refuse(problem.CodeInvalidRequest, "A field of the JSON body is not what is wanted there.").WithField(fault.Field, fault.Why)
	}
}
