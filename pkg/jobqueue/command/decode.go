package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"maskfleet/pkg/problem"
	"maskfleet/pkg/strictjson"
)

// decode reads a request, nothing being an empty one; a field that is not known is an
// error, because a typing mistake in a filter would widen it.
func decode[Q any](data []byte) (q Q, err error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return q, nil
	}
	if err := strictjson.Read(data, &q); err != nil {
		return q, invalid(err)
	}
	return q, nil
}

// cutDryRun takes "dry_run" out of a request.
func cutDryRun(data []byte) (rest []byte, dryRun bool, err error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, false, nil
	}
	fields, err := decode[map[string]json.RawMessage](data)
	if err != nil {
		return nil, false, err
	}
	value, there := fields["dry_run"]
	if !there {
		return data, false, nil
	}
	if err := json.Unmarshal(value, &dryRun); err != nil || string(value) == "null" {
		return nil, false, InvalidField("dry_run", "is neither true nor false")
	}
	delete(fields, "dry_run")
	rest, err = json.Marshal(fields)
	return rest, dryRun, err
}

// Invalid is the problem of a request that cannot be used.
func Invalid(detail string) *problem.Problem {
	return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, detail)
}

// InvalidField is the problem of one field of a request: what it is, or is not.
func InvalidField(field, why string) *problem.Problem {
	return Invalid(fmt.Sprintf("The field %q %s.", field, why)).WithField(field, why)
}

func invalid(err error) error {
	fault := strictjson.FaultIn(err)
	if fault.Field == "" {
		return Invalid("The request " + fault.Why + ".").WithCause(err)
	}
	return InvalidField(fault.Field, fault.Why).WithCause(err)
}

// Duration is a time.Duration that is typed and shown as "30m".
type Duration time.Duration

// UnmarshalText reads "30m" and the like.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%.40q is no duration like 30s, 10m or 2h", text)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalText writes it without the zeros that time.Duration adds: "30m", not "30m0s".
func (d Duration) MarshalText() ([]byte, error) {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return []byte(text), nil
}
