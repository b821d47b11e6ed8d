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
		return refuse(problem.CodeUnexpectedParameter, "In the JSON body, “"+fault.Field+"” "+fault.Why+".").WithField(fault.Field, fault.Why)
	default:
		return refuse(problem.CodeInvalidRequest, "In the JSON body, “"+fault.Field+"” "+fault.Why+".").WithField(fault.Field, fault.Why)
	}
}
