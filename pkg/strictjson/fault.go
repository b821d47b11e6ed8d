package strictjson

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// What is shown of what was sent, in bytes.
const (
	longestShown = 80  // of a name or a number
	longestWay   = 200 // of all names on the way to a value
)

// Fault is the first thing that is wrong with a document.
type Fault struct {
	Field   string // the way to it: overrides[1].until; empty: the document itself
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

// FaultIn takes apart what Read gave.
func FaultIn(err error) *Fault {
	var fault *Fault
	if !errors.As(err, &fault) {
		fault = &Fault{Why: "could not be read", cause: err}
	}
	return fault
}

func newFault(text []byte, err error) *Fault {
	var meaning *json.SemanticError
	var grammar *jsontext.SyntacticError
	var within *Fault // of a type that reads itself with Read
	switch {
	case errors.As(err, &within) && errors.As(err, &meaning):
		return &Fault{Field: shortWay(join(way(meaning.JSONPointer, false), within.Field)), Why: within.Why, Unknown: within.Unknown, cause: err}
	case errors.As(err, &meaning):
		unknown := errors.Is(err, json.ErrUnknownName)
		return &Fault{Field: way(meaning.JSONPointer, unknown), Why: whyNotTaken(meaning), Unknown: unknown, cause: err}
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &grammar):
		return &Fault{Field: way(grammar.JSONPointer, true), Why: "is there twice", cause: err}
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
	case err.GoType == reflect.TypeFor[uuid.UUID]():
		return "is no UUID"
	case errors.As(err.Err, &notBase64):
		return fmt.Sprintf("is no base64 from byte %d on", int64(notBase64)+1)
	case number != "" && want == "a whole number" && strings.ContainsAny(number, ".eE"):
		return fmt.Sprintf("is %s, want a whole number in digits", shortened(number))
	case number != "" && want != "a text":
		return fmt.Sprintf("is %s, which is too large or too small", shortened(number))
	case err.JSONKind == jsontext.KindEndArray && err.GoType != nil && err.GoType.Kind() == reflect.Array: // what is wrong is its end
		return fmt.Sprintf("is a list of another length than %d", err.GoType.Len())
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
	case jsontext.KindBeginObject:
		return "an object"
	default:
		return "something else"
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

// way writes a pointer as people do: overrides[1].until. A name that is no plain one is
// quoted, so that it cannot pass for more than one. Digits are taken for the place in a
// list, unless they are known to be a name, which the last step may be.
func way(pointer jsontext.Pointer, toName bool) string {
	var text strings.Builder
	steps := slices.Collect(pointer.Tokens())
	for i, step := range steps {
		isName := toName && i == len(steps)-1
		if _, err := strconv.ParseUint(step, 10, 32); err == nil && !isName {
			fmt.Fprintf(&text, "[%s]", step)
			continue
		}
		if text.Len() > 0 {
			text.WriteByte('.')
		}
		if step == "" || len(step) > longestShown || strings.ContainsFunc(step, notPlain) {
			step = strconv.QuoteToGraphic(shortened(step))
		}
		text.WriteString(step)
	}
	return shortWay(text.String())
}

// shortWay leaves out the middle of a way that is too long to be read.
func shortWay(text string) string {
	if len(text) <= longestWay {
		return text
	}
	begin, end := text[:longestWay/2], text[len(text)-longestWay/2:]
	return strings.ToValidUTF8(begin, "") + "…" + strings.ToValidUTF8(end, "")
}

// shortened cuts what was sent where a character ends.
func shortened(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), longestShown)], "")
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
