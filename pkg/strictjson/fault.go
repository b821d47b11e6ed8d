package strictjson

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// longestShown is how much of what was sent is shown of a name or a number, in bytes.
const longestShown = 80

// Fault is the first thing that is wrong with a document.
type Fault struct {
	Field   string // overrides[1].until; empty: the document itself
	Why     string // follows the field, or "it": is a text, want a whole number
	Unknown bool   // nobody knows a field of this name

	cause error
}

// Error is a sentence's part for whoever sent the document.
func (f *Fault) Error() string {
	if f.Field == "" {
		return "it " + f.Why
	}
	return f.Field + " " + f.Why
}

// Unwrap gives the error of the decoder, or of the type that took the value.
func (f *Fault) Unwrap() error { return f.cause }

func newFault(text []byte, err error) *Fault {
	var meaning *json.SemanticError
	var grammar *jsontext.SyntacticError
	var within *Fault // of a type that reads itself with Read
	switch {
	case errors.As(err, &within) && errors.As(err, &meaning):
		return &Fault{Field: join(fieldOf(meaning.JSONPointer), within.Field), Why: within.Why, Unknown: within.Unknown, cause: err}
	case errors.As(err, &meaning):
		return &Fault{
			Field: fieldOf(meaning.JSONPointer), Why: whyNotTaken(meaning),
			Unknown: errors.Is(err, json.ErrUnknownName), cause: err,
		}
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &grammar):
		return &Fault{Field: fieldOf(grammar.JSONPointer), Why: "is there twice", cause: err}
	case errors.As(err, &grammar):
		return &Fault{Why: whyNoJSON(text, grammar), cause: err}
	default:
		return &Fault{Why: "could not be read", cause: err}
	}
}

func whyNoJSON(text []byte, err *jsontext.SyntacticError) string {
	at := min(int(err.ByteOffset), len(text))
	char, size := utf8.DecodeRune(text[at:])
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return "is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "is no JSON: it ends before it is complete"
	case char == utf8.RuneError && size == 1:
		return "is not UTF-8 from " + place(text[:at]) + " on"
	default:
		return "is no JSON from " + place(text[:at]) + " on"
	}
}

// place counts lines and bytes from 1, as editors do.
func place(before []byte) string {
	inLine := len(before) - bytes.LastIndexByte(before, '\n')
	if line := 1 + bytes.Count(before, []byte("\n")); line > 1 {
		return fmt.Sprintf("line %d, byte %d", line, inLine)
	}
	return fmt.Sprintf("byte %d", inLine)
}

// whyNotTaken says what stands where something else is wanted.
func whyNotTaken(err *json.SemanticError) string {
	var notBase64 base64.CorruptInputError
	want, number := wanted(err.GoType), ""
	if err.JSONKind == jsontext.KindNumber {
		number = string(err.JSONValue)
	}
	switch {
	case errors.Is(err.Err, json.ErrUnknownName):
		return "is not known"
	case err.GoType == reflect.TypeFor[time.Time]():
		return "is no moment like 2026-12-01T18:00:00Z"
	case errors.As(err.Err, &notBase64):
		return fmt.Sprintf("is no base64 from byte %d on", int64(notBase64)+1)
	case number != "" && want == "a whole number" && strings.ContainsAny(number, ".eE"):
		return fmt.Sprintf("is %.*s, want a whole number in digits", longestShown, number)
	case number != "" && want != "a text":
		return fmt.Sprintf("is %.*s, which is too large or too small", longestShown, number)
	case err.Err != nil && err.JSONKind == jsontext.KindString: // the type itself says why not
		return "cannot be read: " + err.Err.Error()
	default:
		return "is " + found(err.JSONKind) + ", want " + want
	}
}

// found is a kind of JSON in words.
func found(kind jsontext.Kind) string {
	switch kind {
	case jsontext.KindString:
		return "a text"
	case jsontext.KindNumber:
		return "a number"
	case jsontext.KindTrue, jsontext.KindFalse:
		return "true or false"
	case jsontext.KindBeginArray:
		return "a list"
	case jsontext.KindNull:
		return "null"
	default:
		return "an object"
	}
}

// wanted is what one of Go's types is written as.
func wanted(of reflect.Type) string {
	if of == nil {
		return "something else"
	}
	switch kind := of.Kind(); {
	case kind == reflect.String, of == reflect.TypeFor[[]byte](), reflect.PointerTo(of).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return "a text"
	case kind == reflect.Bool:
		return "true or false"
	case reflect.Int <= kind && kind <= reflect.Uintptr:
		return "a whole number"
	case kind == reflect.Float32 || kind == reflect.Float64:
		return "a number"
	case kind == reflect.Slice || kind == reflect.Array:
		return "a list"
	default:
		return "an object"
	}
}

// fieldOf writes the way to a value as people do: overrides[1].until. A name that is no
// plain one is quoted, so that it cannot pass for more than one.
func fieldOf(pointer jsontext.Pointer) string {
	var way strings.Builder
	for step := range pointer.Tokens() {
		if _, err := strconv.ParseUint(step, 10, 32); err == nil {
			fmt.Fprintf(&way, "[%s]", step)
			continue
		}
		if way.Len() > 0 {
			way.WriteByte('.')
		}
		if len(step) > longestShown || strings.ContainsFunc(step, notPlain) {
			step = strconv.QuoteToGraphic(fmt.Sprintf("%.*s", longestShown, step))
		}
		way.WriteString(step)
	}
	return way.String()
}

func join(outer, inner string) string {
	if outer == "" || inner == "" || inner[0] == '[' {
		return outer + inner
	}
	return outer + "." + inner
}

func notPlain(r rune) bool {
	return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}
