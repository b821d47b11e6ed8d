package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"maskfleet/pkg/problem"
)

// decode reads a request, nothing being an empty one; a field that is not known is an
// error, because a typing mistake in a filter would widen it.
func decode[Q any](data []byte) (q Q, err error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return q, nil
	}
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	if err := in.Decode(&q); err != nil {
		return q, invalid(err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return q, Invalid("The request is more than one JSON object.")
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
	if err := json.Unmarshal(value, &dryRun); err != nil {
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
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var moment *time.ParseError
	var own *problem.Problem
	switch unknown, found := strings.CutPrefix(err.Error(), "json: unknown field "); {
	case errors.As(err, &own):
		return own
	case found:
		return InvalidField(strings.Trim(unknown, `"`), "is not known").WithCause(err)
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return InvalidField(wrongType.Field, "is a "+wrongType.Value).WithCause(err)
	case errors.As(err, &moment):
		return Invalid(fmt.Sprintf("%.40q is no moment such as \"2026-11-28T18:00:00Z\".", moment.Value)).WithCause(err)
	case errors.As(err, &syntax):
		return Invalid(fmt.Sprintf("The request is no JSON from byte %d on.", syntax.Offset)).WithCause(err)
	default:
		return Invalid("The request is not a JSON object.").WithCause(err)
	}
}

// Duration is a time.Duration that is typed and shown as "30m".
type Duration time.Duration

// UnmarshalText reads "30m" and the like.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return Invalid(fmt.Sprintf("%q is not a duration such as 30s, 10m or 2h.", text)).WithCause(err)
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
