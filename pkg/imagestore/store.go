package imagestore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	dialTimeout    = 2 * time.Second
	transferLimit  = 20 * time.Second // of a whole put or get, retries included
	pingLimit      = 3 * time.Second
	tries          = 3
	longestBackoff = 500 * time.Millisecond
	idlePerHost    = 64
)

// Store is a bucket. It is safe for concurrent use.
type Store struct {
	bucket string
	region string
	client *s3.Client
	links  *s3.PresignClient
}

// Open makes a store and proves that S3 answers and accepts our credentials. The
// bucket need not exist yet.
func Open(ctx context.Context, c Config) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("opening s3: %w", err)
	}
	keys := roleOrKeys(c)
	web := httpClient()
	s := &Store{
		bucket: c.Bucket,
		region: c.Region,
		client: newClient(c, c.Endpoint, keys, web),
		links:  s3.NewPresignClient(newClient(c, publicEndpoint(c), keys, web)),
	}
	if err := s.Ping(ctx); err != nil && !errors.Is(err, ErrNoBucket) {
		return nil, fmt.Errorf("opening s3: %w", err)
	}
	return s, nil
}

// Ping says whether S3 answers and the bucket is there.
func (s *Store) Ping(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	_, err := s.client.HeadBucket(limited, &s3.HeadBucketInput{Bucket: &s.bucket})
	if err = classify(ctx, err); errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("%w: %w", ErrNoBucket, err) // a HEAD has no room for a code
	}
	if err != nil {
		return fmt.Errorf("looking for bucket %s: %w", s.bucket, err)
	}
	return nil
}

// EnsureBucket makes the bucket if there is none. It may be run by many at once.
func (s *Store) EnsureBucket(ctx context.Context) error {
	if err := s.Ping(ctx); !errors.Is(err, ErrNoBucket) {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, transferLimit)
	defer cancel()
	in := &s3.CreateBucketInput{Bucket: &s.bucket}
	if s.region != "us-east-1" { // the one region that must not be named
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(s.region),
		}
	}
	_, err := s.client.CreateBucket(limited, in)
	var mine *types.BucketAlreadyOwnedByYou
	if err != nil && !errors.As(err, &mine) {
		return fmt.Errorf("making bucket %s: %w", s.bucket, classify(ctx, err))
	}
	return nil
}

func publicEndpoint(c Config) string {
	if c.PublicEndpoint != "" {
		return c.PublicEndpoint
	}
	return c.Endpoint
}

// roleOrKeys takes the configured keys, or else those of the machine's role.
func roleOrKeys(c Config) aws.CredentialsProvider {
	if c.AccessKey != "" {
		return credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, "")
	}
	return aws.NewCredentialsCache(ec2rolecreds.New())
}

func newClient(c Config, endpoint string, keys aws.CredentialsProvider, web *http.Client) *s3.Client {
	o := s3.Options{
		Region:       c.Region,
		Credentials:  keys,
		HTTPClient:   web,
		UsePathStyle: c.PathStyle,
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = tries
			o.MaxBackoff = longestBackoff
			o.RateLimiter = ratelimit.None // the bound on the call is enough
		}),
	}
	if endpoint != "" {
		o.BaseEndpoint = &endpoint
	}
	return s3.New(o)
}

// httpClient takes no proxy from the environment and follows no redirect.
func httpClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout: dialTimeout,
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        2 * idlePerHost,
			MaxIdleConnsPerHost: idlePerHost,
			IdleConnTimeout:     time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
