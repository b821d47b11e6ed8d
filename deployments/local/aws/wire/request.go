package wire

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// mostBytes of a request, packed and unpacked.
const mostBytes = 4 << 20

// request is one call as it came.
type request struct {
	operation  string
	parameters *node
	format     format
}

// format is what a request is written in, and its answer too, where that is not XML.
type format int

const (
	forms format = iota // answered by XML
	inCBOR
	inJSON
)

// readBody gives the body as it was sent, which is what the signature covers.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, mostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	if len(body) > mostBytes {
		return nil, malformed(errors.New("it is too large"))
	}
	return body, nil
}

// unpack undoes the compression that the client of CloudWatch uses.
func unpack(r *http.Request, body []byte) ([]byte, error) {
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "":
		return body, nil
	case "gzip":
		packed, err := gzip.NewReader(strings.NewReader(string(body)))
		if err != nil {
			return nil, malformed(err)
		}
		plain, err := io.ReadAll(io.LimitReader(packed, mostBytes+1))
		if err == nil && len(plain) > mostBytes {
			err = errors.New("it is too large")
		}
		if err != nil {
			return nil, malformed(err)
		}
		return plain, nil
	default:
		return nil, malformed(fmt.Errorf("the encoding %q is not known", encoding))
	}
}

// parse tells the protocols apart by address and headers, as AWS does.
func parse(r *http.Request, body []byte) (request, error) {
	body, err := unpack(r, body)
	if err != nil {
		return request{}, err
	}
	if _, operation, ok := cborAddress(r.URL.Path); ok {
		parameters, err := cborTree(body)
		if err != nil {
			return request{operation: operation, format: inCBOR}, malformed(err)
		}
		return request{operation: operation, parameters: parameters, format: inCBOR}, nil
	}
	if _, operation, ok := jsonTarget(r.Header); ok {
		parameters, err := jsonTree(body)
		if err != nil {
			return request{operation: operation, format: inJSON}, malformed(err)
		}
		return request{operation: operation, parameters: parameters, format: inJSON}, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return request{}, malformed(err)
	}
	maps.Copy(form, r.URL.Query())
	operation := form.Get("Action")
	form.Del("Action")
	form.Del("Version")
	return request{operation: operation, parameters: formTree(form)}, nil
}

// cborAddress reads /service/NAME/operation/NAME.
func cborAddress(path string) (service, operation string, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 5 || parts[1] != "service" || parts[3] != "operation" {
		return "", "", false
	}
	return parts[2], parts[4], true
}

// jsonTarget reads the header that names service and operation, as NAME.NAME.
func jsonTarget(header http.Header) (service, operation string, ok bool) {
	return strings.Cut(header.Get("X-Amz-Target"), ".")
}

func malformed(err error) *Error {
	return &Error{Code: codeMalformedQuery, Message: fmt.Sprintf("The request cannot be read: %v", err)}
}
