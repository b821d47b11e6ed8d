package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"maskfleet/pkg/jobstore"
)

const (
	dialTimeout    = 2 * time.Second
	tries          = 3
	longestBackoff = time.Second
	readBurst      = 10
	changeBurst    = 5
)

// ledger is where launches are written down; jobstore.Store is one.
type ledger interface {
	BeginLaunch(ctx context.Context, l jobstore.LaunchIntent) error
	RecordLaunch(ctx context.Context, id uuid.UUID, instances []string) (bool, error)
	FailLaunch(ctx context.Context, id uuid.UUID, reason string) (bool, error)
	SettleLaunch(ctx context.Context, id uuid.UUID) (bool, error)
	UnsettledLaunches(ctx context.Context) ([]jobstore.LaunchIntent, error)
	PurgeLaunches(ctx context.Context, age time.Duration) error
}

// Fleet is the instances of one pool. It is safe for concurrent use; changes are made
// one after the other.
type Fleet struct {
	cfg    Config
	ledger ledger
	log    *slog.Logger

	ec2      *ec2.Client
	balancer *elasticloadbalancingv2.Client
	watch    *cloudwatch.Client
	reads    *rate.Limiter
	changes  *rate.Limiter
	metrics  metrics
	page     int32 // instances on one page of a list

	acting   sync.Mutex // held by whoever launches or settles
	sequence int        // of decisions to launch; under acting
	purged   time.Time  // when old launches were forgotten; under acting

	mu     sync.Mutex // guards the rest
	memory memory
	offers offers
	boots  boots
}

// Open makes a fleet and proves that EC2 answers and accepts our credentials.
func Open(ctx context.Context, c Config, l ledger, log *slog.Logger, registerer prometheus.Registerer) (*Fleet, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("opening the fleet: %w", err)
	}
	keys, web := roleOrKeys(c), httpClient()
	f := &Fleet{
		cfg: c, ledger: l, log: log,
		ec2: ec2.New(ec2.Options{
			Region: c.Region, Credentials: keys, HTTPClient: web, Retryer: retryer(), BaseEndpoint: endpoint(c.EC2Endpoint),
		}),
		balancer: elasticloadbalancingv2.New(elasticloadbalancingv2.Options{
			Region: c.Region, Credentials: keys, HTTPClient: web, Retryer: retryer(), BaseEndpoint: endpoint(c.BalancerEndpoint),
		}),
		watch: cloudwatch.New(cloudwatch.Options{
			Region: c.Region, Credentials: keys, HTTPClient: web, Retryer: retryer(), BaseEndpoint: endpoint(c.CloudWatchEndpoint),
		}),
		reads:   rate.NewLimiter(rate.Limit(c.ReadRate), readBurst),
		changes: rate.NewLimiter(rate.Limit(c.ChangeRate), changeBurst),
		metrics: newMetrics(registerer),
		page:    pageSize,
		memory:  newMemory(c),
		offers:  newOffers(c),
		boots:   newBoots(c),
	}
	if _, err := f.describe(ctx); err != nil {
		return nil, fmt.Errorf("opening the fleet: %w", err)
	}
	return f, nil
}

func endpoint(url string) *string {
	if url == "" {
		return nil
	}
	return &url
}

// roleOrKeys takes the configured keys, or else those of the machine's role.
func roleOrKeys(c Config) aws.CredentialsProvider {
	if c.AccessKey != "" {
		return credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, "")
	}
	return aws.NewCredentialsCache(ec2rolecreds.New())
}

// retryer repeats what was throttled or got no answer, with jitter; the bound on the
// call ends it.
func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = tries
		o.MaxBackoff = longestBackoff
		o.RateLimiter = ratelimit.None
	})
}

// httpClient takes no proxy from the environment and follows no redirect.
func httpClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout: dialTimeout,
			ForceAttemptHTTP2:   true,
			IdleConnTimeout:     time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
