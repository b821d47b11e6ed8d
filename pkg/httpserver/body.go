package httpserver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/problem"
)

// Body is the request's body, streamed and without any limit: bound what you read.
// It ends with the handler.
func Body(c *fiber.Ctx) io.Reader {
	if stream := c.Context().RequestBodyStream(); stream != nil {
		return stream
	}
	return bytes.NewReader(c.Request().Body())
}

// ReadBody reads a whole body of at most limitBytes. More is 413 file_too_large; a
// compressed body is 415, because its size is not known.
func ReadBody(c *fiber.Ctx, limitBytes int64) ([]byte, error) {
	if err := refuseEncoded(c); err != nil {
		return nil, err
	}
	if int64(c.Request().Header.ContentLength()) > limitBytes {
		return nil, bodyTooLarge(limitBytes)
	}
	data, err := io.ReadAll(io.LimitReader(Body(c), limitBytes+1))
	if err != nil {
		return nil, cutShort(err)
	}
	if int64(len(data)) > limitBytes {
		return nil, bodyTooLarge(limitBytes)
	}
	return data, nil
}

// MultipartReader reads a multipart/form-data body part by part as it comes.
func MultipartReader(c *fiber.Ctx) (*Parts, error) {
	if err := refuseEncoded(c); err != nil {
		return nil, err
	}
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm {
		return nil, problem.New(http.StatusBadRequest, problem.CodeNotMultipart,
			"The photo must be sent as a multipart/form-data body.").WithCause(err)
	}
	if params["boundary"] == "" {
		return nil, problem.New(http.StatusBadRequest, problem.CodeNotMultipart,
			"The multipart/form-data body names no boundary.")
	}
	return NewParts(Body(c), params["boundary"]), nil
}

// Form reads the fields of a form, urlencoded or multipart, of at most
// BodyLimitBytes. It never reads the query; files are refused.
func Form(c *fiber.Ctx) (url.Values, error) {
	s, err := serverOf(c)
	if err != nil {
		return nil, err
	}
	data, err := ReadBody(c, int64(s.cfg.BodyLimitBytes))
	if err != nil {
		return nil, err
	}
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	switch {
	case err != nil && len(data) == 0:
		return url.Values{}, nil
	case kind == fiber.MIMEApplicationForm:
		values, err := url.ParseQuery(string(data))
		if err != nil {
			return nil, unreadableForm(err)
		}
		return values, nil
	case kind == fiber.MIMEMultipartForm:
		return multipartFields(multipart.NewReader(bytes.NewReader(data), params["boundary"]))
	default:
		return nil, unreadableForm(err)
	}
}

func multipartFields(parts *multipart.Reader) (url.Values, error) {
	values := url.Values{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, unreadableForm(err)
		}
		if part.FileName() != "" {
			return nil, problem.New(http.StatusBadRequest, problem.CodeTooManyFiles, "This form takes no file.").
				WithField(part.FormName(), "must not be a file")
		}
		value, err := io.ReadAll(part) // bounded: the whole body is in memory
		if err != nil {
			return nil, unreadableForm(err)
		}
		values.Add(part.FormName(), string(value))
	}
}

// DrainSmall reads and throws away what is left of a body, so that a client that is
// still sending reads its answer. Of a long one it gives up and closes the
// connection after the answer. Every request is drained when its handler returns;
// a handler calls this only to wait for the end of a body earlier.
func DrainSmall(c *fiber.Ctx) {
	stream := c.Context().RequestBodyStream()
	s, err := serverOf(c)
	if stream == nil || err != nil {
		return
	}
	if int64(c.Request().Header.ContentLength()) > s.cfg.DrainLimitBytes {
		c.Context().SetConnectionClose()
		return
	}
	n, err := io.CopyN(io.Discard, stream, s.cfg.DrainLimitBytes+1)
	if n > s.cfg.DrainLimitBytes || (err != nil && !errors.Is(err, io.EOF)) {
		c.Context().SetConnectionClose()
	}
}

func refuseEncoded(c *fiber.Ctx) error {
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && encoding != "identity" {
		return problem.New(http.StatusUnsupportedMediaType, problem.CodeUnsupportedFormat,
			"A compressed request body is not accepted; please send it as it is.")
	}
	return nil
}

func bodyTooLarge(limitBytes int64) *problem.Problem {
	return problem.New(http.StatusRequestEntityTooLarge, problem.CodeFileTooLarge,
		fmt.Sprintf("The request is larger than the limit of %d bytes.", limitBytes))
}

func cutShort(err error) *problem.Problem {
	return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest,
		"The request ended before all of it had arrived.").WithCause(err)
}

func unreadableForm(err error) *problem.Problem {
	return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest,
		"The form could not be read.").WithCause(err)
}
