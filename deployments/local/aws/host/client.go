package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Client speaks to a host in another process. It may be used by many at once.
type Client struct {
	http *http.Client
}

// NewClient speaks to the host that serves the socket; it need not be there yet.
func NewClient(socket string) *Client {
	var dialer net.Dialer
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}}
}

// Network is where machines have their addresses.
func (c *Client) Network(ctx context.Context) (netip.Prefix, error) {
	var b boundary
	err := c.call(ctx, http.MethodGet, "/", nil, &b)
	return b.Network, err
}

// Machines lists those that are on.
func (c *Client) Machines(ctx context.Context) ([]Status, error) {
	var statuses []Status
	err := c.call(ctx, http.MethodGet, "/machines", nil, &statuses)
	return statuses, err
}

// Boot switches a machine on; one that is on already stays as it is.
func (c *Client) Boot(ctx context.Context, spec Spec) error {
	return c.call(ctx, http.MethodPut, "/machines/"+spec.ID, spec, nil)
}

// ShutDown returns when nothing of the machine is left, at the latest a moment after
// the limit.
func (c *Client) ShutDown(ctx context.Context, id string, limit time.Duration) error {
	return c.call(ctx, http.MethodDelete, "/machines/"+id+"?limit="+url.QueryEscape(limit.String()), nil, nil)
}

// Tell changes what a machine reads of itself.
func (c *Client) Tell(ctx context.Context, metadata Metadata) error {
	return c.call(ctx, http.MethodPut, "/machines/"+metadata.InstanceID+"/metadata", metadata, nil)
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return fmt.Errorf("asking the host: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://host"+path, &body)
	if err != nil {
		return fmt.Errorf("asking the host: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("asking the host: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		const mostBytes = 1 << 10
		text, _ := io.ReadAll(io.LimitReader(response.Body, mostBytes)) // its status says enough
		return fmt.Errorf("asking the host: %s: %s", response.Status, strings.TrimSpace(string(text)))
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fmt.Errorf("reading what the host answers: %w", err)
	}
	return nil
}
