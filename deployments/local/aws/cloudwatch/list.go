package cloudwatch

import (
	"context"
	"encoding/base64"
	"slices"
	"time"
)

const activeFor = 3 * time.Hour

func (c *CloudWatch) listMetrics(_ context.Context, in listRequest) (listResponse, error) {
	if in.RecentlyActive != "" && in.RecentlyActive != "PT3H" {
		return listResponse{}, fail(invalidValue, "The value %s for parameter RecentlyActive is invalid.", in.RecentlyActive)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	after, err := base64.StdEncoding.DecodeString(in.NextToken)
	if err != nil {
		return listResponse{}, fail(invalidNextToken, "The next token is not valid.")
	}
	out := listResponse{Metrics: []metric{}}
	for key, s := range c.series {
		active := in.RecentlyActive == "" || time.Since(s.lastPut) < activeFor
		if active && in.wants(s.metric) && key > string(after) {
			out.Metrics = append(out.Metrics, s.metric)
		}
	}
	slices.SortFunc(out.Metrics, byKey)
	if len(out.Metrics) > mostListed {
		out.Metrics = out.Metrics[:mostListed]
		out.NextToken = base64.StdEncoding.EncodeToString([]byte(out.Metrics[mostListed-1].key()))
	}
	return out, nil
}
