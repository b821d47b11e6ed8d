package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestAnswer bounds what is read of an answer that is kept in memory whole.
const longestAnswer = 64 << 20

// APIError is a refusal: RFC 9457 problem details as the front door sends them. Code
// is stable and stands in docs/errors.md; Detail is a sentence for people.
type APIError struct {
	Status     int           `json:"status"`
	Code       string        `json:"code"`
	Title      string        `json:"title"`
	Detail     string        `json:"detail"`
	RequestID  string        `json:"request_id"`
	Errors     []FieldError  `json:"errors"`
	RetryAfter time.Duration `json:"-"` // zero: the server did not say
}

// FieldError is what is wrong with one field of a request.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error gives the sentence, the fields and what finds the request in the logs.
func (e *APIError) Error() string {
	var text strings.Builder
	switch {
	case e.Detail != "":
		text.WriteString(e.Detail)
	case e.Title != "":
		text.WriteString(e.Title)
	default:
		text.WriteString(http.StatusText(e.Status))
	}
	for _, field := range e.Errors {
		fmt.Fprintf(&text, " %s: %s.", field.Field, strings.TrimRight(field.Message, "."))
	}
	fmt.Fprintf(&text, " (%d", e.Status)
	if e.Code != "" {
		text.WriteString(" " + e.Code)
	}
	if e.RequestID != "" {
		text.WriteString(", request " + e.RequestID)
	}
	text.WriteString(")")
	return text.String()
}

// refusal reads an answer that is no success, also one of something in between that
// knows nothing of problem details.
func refusal(response *http.Response) *APIError {
	e := &APIError{}
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	mediaType, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	if err == nil && strings.HasSuffix(mediaType, "json") {
		if json.Unmarshal(body, e) != nil {
			*e = APIError{}
		}
	}
	e.Status = response.StatusCode
	e.RetryAfter = retryAfter(response.Header, time.Now())
	return e
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3); zero if there is none.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
