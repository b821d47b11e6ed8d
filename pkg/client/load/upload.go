package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"syscall"
	"time"
)

// answer is what came of one upload.
type answer struct {
	status  int    // zero: none came
	fault   string // of the connection; empty: none
	good    bool   // a result came
	latency time.Duration
}

func (r *run) upload(ctx context.Context, photo Photo) answer {
	body, contentType, err := r.form(photo)
	if err != nil {
		return answer{fault: err.Error()}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.target, body)
	if err != nil {
		return answer{fault: err.Error()}
	}
	request.Header.Set("Content-Type", contentType)
	response, err := r.http.Do(request)
	if err != nil {
		return answer{fault: faultOf(err)}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return answer{fault: faultOf(err)}
	}
	var said struct {
		Success bool `json:"success"`
	}
	return answer{
		status: response.StatusCode,
		good:   response.StatusCode == http.StatusOK && json.Unmarshal(text, &said) == nil && said.Success,
	}
}

func (r *run) form(photo Photo) (io.Reader, string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	err := errors.Join(form.WriteField("username", r.cfg.Username), form.WriteField("password", r.cfg.Password))
	if err != nil {
		return nil, "", err
	}
	file, err := form.CreateFormFile("file", photo.Name)
	if err != nil {
		return nil, "", err
	}
	if _, err := file.Write(photo.Data); err != nil {
		return nil, "", err
	}
	return &body, form.FormDataContentType(), form.Close()
}

// faultOf sorts the errors of connections into few kinds, so that they can be
// counted.
func faultOf(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed without an answer"
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation.Op + ": " + operation.Err.Error()
	}
	return err.Error()
}
