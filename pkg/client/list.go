package client

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
)

const pageSize = 1000 // the most that the front door gives

// page is the envelope of every list.
type page[T any] struct {
	Data          []T    `json:"data"`
	NextPageToken string `json:"next_page_token"`
}

// list goes through all pages; a loop that ends early asks for no more of them.
func list[T any](ctx context.Context, c *Client, path string, filter url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		query := url.Values{}
		maps.Copy(query, filter)
		query.Set("page_size", strconv.Itoa(pageSize))
		for {
			var p page[T]
			if err := c.ask(ctx, call{method: http.MethodGet, path: path, query: query}, &p); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, entry := range p.Data {
				if !yield(entry, nil) {
					return
				}
			}
			if p.NextPageToken == "" {
				return
			}
			query.Set("page_token", p.NextPageToken)
		}
	}
}
