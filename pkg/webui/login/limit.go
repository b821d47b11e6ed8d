package login

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"time"

	"maskfleet/pkg/account"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/problem"
)

const limitWindow = 5 * time.Minute

// limiter counts tries.
type limiter interface {
	Allow(ctx context.Context, key string, limit int, per time.Duration) (ok bool, retryAfter time.Duration, err error)
	Peek(ctx context.Context, key string, limit int) (ok bool, retryAfter time.Duration, err error)
}

// folder gives the same for all spellings of a name.
type folder interface {
	Fold(ctx context.Context, nameOrEmail string) (string, error)
}

// Tries counts tries to log in, so that nobody guesses passwords for long. Failed
// tries count together wherever they were made, and however the name was spelt. It is
// safe for concurrent use.
type Tries struct {
	names  folder
	limits limiter
}

// NewTries counts in Redis, for all processes together.
func NewTries(people *account.Accounts, limits *cache.Cache) *Tries {
	return &Tries{names: people, limits: limits}
}

// What is counted: every try at a log-in page, and every failed try anywhere.
const (
	countedTries    = "login:"
	countedFailures = "login:failed:"
)

// limit is how many tries count together, and how many of them are too many.
type limit struct {
	key string
	max int
}

// subscriber is how many bits of an IPv6 address are the network's: the rest of them
// is for the client to choose.
const subscriber = 64

// origin is what an address counts as.
func origin(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	return netip.PrefixFrom(ip.WithZone(""), subscriber).Masked().String()
}

// Try is somebody's try to get in. It is for one goroutine.
type Try struct {
	tries             *Tries
	username, address string
	account           string // what the name counts as; empty: not asked for yet
}

// Of is a try at an account from an address.
func (t *Tries) Of(username, address string) *Try {
	return &Try{tries: t, username: username, address: origin(address)}
}

// limits are narrow for one address at one account, and wide where strangers share an
// address or somebody would lock another out.
func (t *Try) limits(ctx context.Context, counted string) ([]limit, error) {
	if t.account == "" {
		name, err := t.tries.names.Fold(ctx, t.username)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256([]byte(name)) // bounds the key
		t.account = hex.EncodeToString(sum[:16])
	}
	return []limit{
		{counted + "pair:" + t.account + ":" + t.address, 10},
		{counted + "address:" + t.address, 60},
		{counted + "account:" + t.account, 100},
	}, nil
}

// Look refuses a try with 429 once too many have failed, and counts nothing: who
// logs in with the right password may do so without end. Any other error is the
// cache's or the store's.
func (t *Try) Look(ctx context.Context) error {
	of, err := t.limits(ctx, countedFailures)
	if err != nil {
		return err
	}
	for _, l := range of {
		ok, retryAfter, err := t.tries.limits.Peek(ctx, l.key, l.max)
		if err != nil {
			return err
		}
		if !ok {
			return tooManyTries(retryAfter)
		}
	}
	return nil
}

// Failed counts a try whose password was wrong, whether the account exists or not.
func (t *Try) Failed(ctx context.Context) error {
	of, err := t.limits(ctx, countedFailures)
	if err != nil {
		return err
	}
	for _, l := range of {
		if _, _, err := t.tries.limits.Allow(ctx, l.key, l.max, limitWindow); err != nil {
			return err
		}
	}
	return nil
}

// count counts a try before its password is looked at, whether the account exists
// or not. At a page, a try that cannot be counted is no try.
func (t *Try) count(ctx context.Context) error {
	of, err := t.limits(ctx, countedTries)
	if err != nil {
		return err
	}
	if err := t.tries.use(ctx, of, limitWindow); err != nil {
		return err
	}
	return insist(ctx, t.Look)
}

// What is counted of requests for a new password, whether the account exists or not.
const (
	countedRecoveries = "recovery:"
	recoveryWindow    = 30 * time.Minute
)

// Recovery counts a request for a new password, and refuses it with 429 once there
// were too many: a few of one account, more from one address. Any other error is the
// cache's or the store's.
func (t *Tries) Recovery(ctx context.Context, who, address string) error {
	of, err := t.Of(who, address).limits(ctx, countedRecoveries)
	if err != nil {
		return err
	}
	return t.use(ctx, []limit{{of[0].key, 3}, {of[1].key, 20}, {of[2].key, 10}}, recoveryWindow)
}

// use counts against limits, the narrowest first, until one of them refuses.
func (t *Tries) use(ctx context.Context, limits []limit, per time.Duration) error {
	for _, l := range limits {
		var ok bool
		var retryAfter time.Duration
		err := insist(ctx, func(ctx context.Context) (err error) {
			ok, retryAfter, err = t.limits.Allow(ctx, l.key, l.max, per)
			return err
		})
		if err != nil {
			return err
		}
		if !ok {
			return tooManyTries(retryAfter)
		}
	}
	return nil
}

func tooManyTries(retryAfter time.Duration) error {
	return problem.New(http.StatusTooManyRequests, problem.CodeRateLimited,
		"There were too many tries. Please wait a few minutes and try again.").WithRetryAfter(retryAfter)
}
