package wire

import (
	"context"
	"fmt"
	"reflect"
	"slices"
)

// Dialect is how a service's forms are answered.
type Dialect int

// The dialects.
const (
	EC2   Dialect = iota // EC2's own
	Query                // of the other services that take forms
)

// Service is what one of AWS's services can do here.
type Service struct {
	Name       string // as requests are signed for it
	Model      string // folder of its published model
	Version    string
	Namespace  string // of its XML
	Dialect    Dialect
	Target     string // its name in the addresses of CBOR requests and the headers of JSON ones; empty: it takes forms only
	Operations []Operation
}

func (s Service) find(operation string) (Operation, bool) {
	i := slices.IndexFunc(s.Operations, func(o Operation) bool { return o.Name == operation })
	if i < 0 {
		return Operation{}, false
	}
	return s.Operations[i], true
}

// Operation is one thing that can be asked.
type Operation struct {
	Name   string
	Reads  bool         // it changes nothing
	Input  reflect.Type // a structure
	Output reflect.Type // a structure

	call func(ctx context.Context, parameters *node) (reflect.Value, error)
}

// Reading is an operation that changes nothing.
func Reading[In, Out any](name string, do func(context.Context, In) (Out, error)) Operation {
	o := Changing(name, do)
	o.Reads = true
	return o
}

// Changing is an operation that changes something.
func Changing[In, Out any](name string, do func(context.Context, In) (Out, error)) Operation {
	return Operation{
		Name: name, Input: reflect.TypeFor[In](), Output: reflect.TypeFor[Out](),
		call: func(ctx context.Context, parameters *node) (reflect.Value, error) {
			var in In
			if err := decode(parameters, &in); err != nil {
				return reflect.Value{}, err
			}
			out, err := do(ctx, in)
			return reflect.ValueOf(out), err
		},
	}
}

// unknownAction is the answer to what a service cannot do here.
func unknownAction(operation string) *Error {
	return &Error{Code: codeInvalidAction, Message: fmt.Sprintf("The action %s is not valid for this endpoint.", operation)}
}
