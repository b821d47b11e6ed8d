package login

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"maskfleet/pkg/problem"
)

const limitWindow = 5 * time.Minute

// limit is how many tries count together, and how many of them are too many.
type limit struct {
	key string
	max int
}

// limits are narrow for one address at one account, and wide where strangers share
// an address or somebody would lock another out.
func limits(username, address string) []limit {
	sum := sha256.Sum256([]byte(strings.ToLower(username))) // bounds the key
	account := hex.EncodeToString(sum[:16])
	return []limit{
		{"login:pair:" + account + ":" + address, 10},
		{"login:address:" + address, 60},
		{"login:account:" + account, 100},
	}
}

// count counts a try before its password is looked at, whether the account exists
// or not. A try that cannot be counted is refused.
func (p *Pages) count(ctx context.Context, username, address string) error {
	for _, l := range limits(username, address) {
		var ok bool
		var retryAfter time.Duration
		err := insist(ctx, func(ctx context.Context) (err error) {
			ok, retryAfter, err = p.limits.Allow(ctx, l.key, l.max, limitWindow)
			return err
		})
		if err != nil {
			return unavailable(err)
		}
		if !ok {
			return problem.New(http.StatusTooManyRequests, problem.CodeRateLimited,
				"There were too many tries. Please wait a few minutes and try again.").WithRetryAfter(retryAfter)
		}
	}
	return nil
}
