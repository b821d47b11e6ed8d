// Package strictjson reads JSON that people and programs send, and says in words what is
// wrong with it and where. A field that nobody knows, or that is there twice, is a
// mistake that must show: a misspelt limit would be no limit. It must never guess what
// was meant, and says it in the words of Go only if a type that reads itself does.
package strictjson

import (
	"errors"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	compatible "github.com/go-json-experiment/json/v1"
)

// Read reads text, which is one document in UTF-8, into what to points to. What the
// document leaves out stays as it is there, and so does what is null in it, unless it can
// hold nothing; an entry of a list cannot be null. The names of fields are taken as they
// are written, capital letters included. Base64 may be in lines, as programs write it.
// The error is a *Fault.
func Read(text []byte, to any) error {
	err := json.Unmarshal(text, to,
		json.RejectUnknownMembers(true),
		json.WithUnmarshalers(json.UnmarshalFromFunc(leaveOutNull)),
		compatible.ParseBytesWithLooseRFC4648(true))
	if err != nil {
		return newFault(text, err)
	}
	return nil
}

// leaveOutNull keeps what is there, because a limit that is null has not been said. In a
// list nothing is there that could be kept.
func leaveOutNull(in *jsontext.Decoder, to any) error {
	if in.PeekKind() != jsontext.KindNull {
		return errors.ErrUnsupported // whoever is asked next reads it
	}
	of := reflect.TypeOf(to).Elem()
	if within, _ := in.StackIndex(in.StackDepth()); within == jsontext.KindBeginArray {
		return &json.SemanticError{JSONKind: jsontext.KindNull, GoType: of}
	}
	switch of.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		return errors.ErrUnsupported
	default:
		return in.SkipValue()
	}
}
