package instance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	usualEndpoint = "http://169.254.169.254"

	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	tokenTTL    = "60" // seconds: each question gets its own

	questionTimeout = 2 * time.Second // of one question; the service is on the machine itself
	mostText        = 16 << 10        // of an answer
)

// errNotThere means that the service is there and has no such thing.
var errNotThere = errors.New("the metadata service has no such thing")

// metadata is EC2's metadata service. It is safe for concurrent use.
type metadata struct {
	endpoint string
	http     *http.Client
}

func newMetadata(endpoint string) *metadata {
	if endpoint == "" {
		endpoint = usualEndpoint
	}
	return &metadata{
		endpoint: strings.TrimSuffix(endpoint, "/"),
		http: &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true}, // no proxy
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Timeout:       questionTimeout,
		},
	}
}

// get reads the text below meta-data, or gives errNotThere.
func (m *metadata) get(ctx context.Context, path string) (string, error) {
	token, err := m.ask(ctx, http.MethodPut, "/latest/api/token", ttlHeader, tokenTTL)
	if err != nil {
		return "", fmt.Errorf("getting a token of the metadata service at %s: %w", m.endpoint, err)
	}
	text, err := m.ask(ctx, http.MethodGet, "/latest/meta-data/"+path, tokenHeader, token)
	if err != nil {
		return "", fmt.Errorf("asking the metadata service at %s for %s: %w", m.endpoint, path, err)
	}
	return text, nil
}

func (m *metadata) ask(ctx context.Context, method, path, header, value string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, m.endpoint+path, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set(header, value)
	response, err := m.http.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostText))
	switch {
	case err != nil:
		return "", err
	case response.StatusCode == http.StatusNotFound:
		return "", errNotThere
	case response.StatusCode != http.StatusOK:
		return "", fmt.Errorf("answered %s", response.Status)
	}
	return strings.TrimSpace(string(text)), nil
}
