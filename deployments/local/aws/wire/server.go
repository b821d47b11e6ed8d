package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/uuid"
)

// Call is what stands before an operation: who asks which service for what.
type Call struct {
	Service   string
	Dialect   Dialect
	Operation string
	AccessKey string
}

// gate may refuse a call before it reaches its operation, and have the answer of one
// that was done get lost.
type gate interface {
	Before(Call) error
	LosesAnswer(Call) bool
}

// Server answers the calls of all services at one address, as clients that are given
// an endpoint expect.
type Server struct {
	Services []Service
	Keys     []Key
	Gate     gate
	Log      *slog.Logger
}

// ServeHTTP finds the service by what the request was signed for.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	a := &answer{id: uuid.NewString()}
	err := s.answer(r, a)
	if errors.Is(err, errLost) {
		s.Log.InfoContext(r.Context(), "answer lost", "service", a.service.Name, "operation", a.operation, "request_id", a.id)
		panic(http.ErrAbortHandler)
	}
	var known *Error
	code := ""
	if err != nil {
		known = answerable(err, a.service.Dialect)
		code = known.Code
	}
	s.Log.InfoContext(r.Context(), "call answered", "service", a.service.Name, "operation", a.operation,
		"code", code, "duration_ms", float64(time.Since(began).Microseconds())/1000, "request_id", a.id)
	a.write(w, known)
}

var errLost = errors.New("the answer is lost")

func (s *Server) answer(r *http.Request, a *answer) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	name, operation, target := addressed(r)
	a.operation, a.format = operation, target
	credentials, signed := readCredentials(r)
	if !signed {
		return unsigned(Query)
	}
	i := slices.IndexFunc(s.Services, func(s Service) bool { return s.Name == credentials.service })
	if i < 0 {
		return &Error{Code: codeInvalidAction, Message: fmt.Sprintf("The stand-in has no service %q.", credentials.service)}
	}
	a.service = s.Services[i]
	if a.format != forms && name != a.service.Target {
		return &Error{Code: codeInvalidAction, Message: fmt.Sprintf("The service %q is not spoken to as %q.", a.service.Name, name)}
	}
	in, err := parse(r, body)
	a.format, a.operation = in.format, in.operation
	if err != nil {
		return err
	}
	if err := s.authenticate(r, body, credentials, a.service.Dialect); err != nil {
		return err
	}
	return s.call(r.Context(), a, in, credentials.accessKey)
}

// addressed gives service and operation where the request names them outside of its
// body, and how that is written then.
func addressed(r *http.Request) (service, operation string, as format) {
	if service, operation, ok := cborAddress(r.URL.Path); ok {
		return service, operation, inCBOR
	}
	if service, operation, ok := jsonTarget(r.Header); ok {
		return service, operation, inJSON
	}
	return "", "", forms
}

func (s *Server) authenticate(r *http.Request, body []byte, c credentials, d Dialect) error {
	i := slices.IndexFunc(s.Keys, func(k Key) bool { return k.AccessKey == c.accessKey })
	if i < 0 {
		return unknownKey(d)
	}
	if err := c.verify(r, body, s.Keys[i], time.Now(), d); err != nil {
		return err
	}
	return nil
}

func (s *Server) call(ctx context.Context, a *answer, in request, accessKey string) error {
	operation, known := a.service.find(in.operation)
	if !known {
		return unknownAction(in.operation)
	}
	call := Call{Service: a.service.Name, Dialect: a.service.Dialect, Operation: operation.Name, AccessKey: accessKey}
	if err := s.Gate.Before(call); err != nil {
		return err
	}
	output, err := operation.call(ctx, in.parameters)
	if s.Gate.LosesAnswer(call) {
		return errLost
	}
	a.output = output
	return err
}

// answer is one on its way.
type answer struct {
	id        string // of the request, which people quote to AWS's support
	service   Service
	operation string
	format    format
	output    reflect.Value
}

func (a *answer) write(w http.ResponseWriter, err *Error) {
	status := http.StatusOK
	if err != nil {
		status = err.status()
	}
	w.Header().Set("X-Amzn-Requestid", a.id)
	var body []byte
	switch a.format {
	case inCBOR:
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.Header().Set("Content-Type", "application/cbor")
		body = a.cborBody(w.Header(), err)
	case inJSON:
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		body = a.jsonBody(w.Header(), err)
	default:
		w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
		body = a.xmlBody(err)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error here is a client that left
}

func (a *answer) cborBody(header http.Header, err *Error) []byte {
	if err != nil {
		header.Set("X-Amzn-Query-Error", err.Code+";"+err.fault())
		return cbor.Encode(cbor.Map{"__type": cbor.String(a.errorType(err)), "message": cbor.String(err.Message)})
	}
	return cbor.Encode(cborOf(a.output))
}

func (a *answer) jsonBody(header http.Header, err *Error) []byte {
	var said any
	if err != nil {
		header.Set("X-Amzn-Query-Error", err.Code+";"+err.fault())
		said = map[string]string{"__type": a.errorType(err), "message": err.Message}
	} else {
		said = jsonOf(a.output)
	}
	text, _ := json.Marshal(said) // of texts, finite numbers, lists and maps alone
	return text
}

// errorType is how an error is told apart where that is not by its code.
func (a *answer) errorType(err *Error) string {
	return "com.amazonaws." + a.service.Model + "#" + err.shape()
}

func (a *answer) xmlBody(err *Error) []byte {
	w := &xmlWriter{item: "member"}
	w.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	switch {
	case a.service.Dialect == EC2 && a.service.Name != "":
		w.item = "item"
		a.ec2(w, err)
	case err != nil:
		fmt.Fprintf(w, `<ErrorResponse xmlns=%q>`, a.service.Namespace)
		w.element("Error", reflect.ValueOf(struct{ Type, Code, Message string }{err.fault(), err.Code, err.Message}))
		w.element("RequestId", reflect.ValueOf(a.id))
		w.WriteString("</ErrorResponse>")
	default:
		fmt.Fprintf(w, `<%sResponse xmlns=%q>`, a.operation, a.service.Namespace)
		w.element(a.operation+"Result", a.output)
		w.element("ResponseMetadata", reflect.ValueOf(struct {
			RequestID string `wire:"RequestId"`
		}{a.id}))
		fmt.Fprintf(w, "</%sResponse>", a.operation)
	}
	return w.Bytes()
}

// ec2 writes in EC2's own way.
func (a *answer) ec2(w *xmlWriter, err *Error) {
	if err != nil {
		w.WriteString("<Response><Errors>")
		w.element("Error", reflect.ValueOf(struct{ Code, Message string }{err.Code, err.Message}))
		w.WriteString("</Errors>")
		w.element("RequestID", reflect.ValueOf(a.id))
		w.WriteString("</Response>")
		return
	}
	fmt.Fprintf(w, `<%sResponse xmlns=%q>`, a.operation, a.service.Namespace)
	w.element("requestId", reflect.ValueOf(a.id))
	w.fields(a.output)
	fmt.Fprintf(w, "</%sResponse>", a.operation)
}
