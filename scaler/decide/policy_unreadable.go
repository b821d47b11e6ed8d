package decide

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// unreadable says in words what of a document is no policy, and where: whoever typed it
// looks for a comma, not for one of Go's types. Some errors of encoding/json and time
// have no identity and are known by their text; if that changes, it is shown as it is.
func unreadable(text []byte, err error) string {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	var moment *time.ParseError
	switch field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); {
	case unknown:
		return fmt.Sprintf("it has a field %.80s, which is not known", field)
	case errors.As(err, &wrongType):
		return wrongValue(wrongType)
	case errors.As(err, &moment), strings.HasPrefix(err.Error(), "Time.UnmarshalJSON: "): // a policy has no other moment
		return "overrides.until is no moment like 2026-12-01T18:00:00Z"
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it is no JSON: it ends before it is complete"
	case errors.As(err, &syntax):
		before := text[:max(0, min(int(syntax.Offset), len(text))-1)]
		line := 1 + bytes.Count(before, []byte("\n"))
		return fmt.Sprintf("it is no JSON from line %d, byte %d on", line, len(before)-bytes.LastIndexByte(before, '\n'))
	default:
		return err.Error()
	}
}

// wrongValue says what stands where something else is wanted.
func wrongValue(err *json.UnmarshalTypeError) string {
	name := err.Field
	if name == "" {
		name = "the document"
	}
	kind := err.Type.Kind().String()
	if kind == "struct" && (name == "schedules" || name == "overrides") {
		name = "an entry of " + name
	}
	digits, numeric := strings.CutPrefix(err.Value, "number ")
	switch {
	case numeric && strings.HasPrefix(kind, "int") && strings.ContainsAny(digits, ".eE"):
		return fmt.Sprintf("%s is %.80s, want a whole number in digits", name, digits)
	case numeric:
		return fmt.Sprintf("%s is %.80s, which is too large", name, digits)
	default:
		return fmt.Sprintf("%s is %s, want %s", name, found(err.Value), wanted(kind))
	}
}

// found is a type of JSON, as encoding/json calls it.
func found(value string) string {
	switch value {
	case "string":
		return "a text"
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "bool":
		return "true or false"
	default:
		return "a " + value
	}
}

// wanted is what stands in the place of one of Go's kinds of values.
func wanted(kind string) string {
	switch {
	case strings.HasPrefix(kind, "int"):
		return "a whole number"
	case strings.HasPrefix(kind, "float"):
		return "a number"
	case kind == "string":
		return "a text"
	case kind == "slice":
		return "a list"
	default:
		return "an object"
	}
}
