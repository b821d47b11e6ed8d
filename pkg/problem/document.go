package problem

// ContentType is the media type of Document as JSON.
const ContentType = "application/problem+json"

// Document is the JSON object that a client gets, RFC 9457 with three members of
// our own: code, request_id and errors.
type Document struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail"`
	Instance  string       `json:"instance,omitempty"`
	Code      string       `json:"code"`
	RequestID string       `json:"request_id,omitempty"`
	Errors    []FieldError `json:"errors,omitempty"`
}

// Document gives what the client may see of the problem. instance is the path of
// the request.
func (p *Problem) Document(instance, requestID string) Document {
	return Document{
		Type:      "/docs/errors#" + p.Code,
		Title:     p.Title,
		Status:    p.Status,
		Detail:    p.Detail,
		Instance:  instance,
		Code:      p.Code,
		RequestID: requestID,
		Errors:    p.Errors,
	}
}
