package decide

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// unreadable says in words what of a document is no policy, and where: whoever typed it
// looks for a comma, not for one of Go's types.
func unreadable(text []byte, err error) string {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); {
	case unknown:
		return fmt.Sprintf("it has a field %s, which is not known", field)
	case errors.As(err, &wrongType):
		subject := wrongType.Field
		if subject == "" {
			subject = "the document"
		}
		return fmt.Sprintf("%s is %s, want %s", subject, found(wrongType.Value), wanted(wrongType.Type.Kind().String()))
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it is no JSON: it ends before it is complete"
	case errors.As(err, &syntax):
		before := text[:max(0, min(int(syntax.Offset), len(text))-1)]
		line := 1 + bytes.Count(before, []byte("\n"))
		return fmt.Sprintf("it is no JSON from line %d, byte %d on", line, len(before)-bytes.LastIndexByte(before, '\n'))
	default:
		return "reading JSON: " + err.Error()
	}
}

// found is a value as encoding/json tells of it: its type, of a number the digits, too.
func found(value string) string {
	switch digits, numeric := strings.CutPrefix(value, "number "); {
	case numeric:
		return "the number " + digits
	case value == "string":
		return "a text"
	case value == "array":
		return "a list"
	case value == "object":
		return "an object"
	default: // number, bool
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
	case kind == "bool":
		return "true or false"
	default:
		return "an object"
	}
}
