package ingest

import (
	"errors"
	"fmt"
	"time"

	"maskfleet/pkg/account"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/instance"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/mail"
	"maskfleet/pkg/photofile"
	"maskfleet/pkg/telemetry"
)

// Config is every setting of the front door.
type Config struct {
	Telemetry   telemetry.Config
	HTTP        httpserver.Config
	MySQL       jobstore.Config
	Images      imagestore.Config
	Queue       jobqueue.Config
	Cache       cache.Config
	Accounts    account.Config
	Photo       photofile.Limits
	Publisher   PublisherConfig
	Admission   AdmissionConfig
	Waiting     WaitingConfig
	Batch       BatchConfig
	Idempotency IdempotencyConfig
	Quota       QuotaConfig
	Expander    ExpanderConfig
	Dispatch    DispatcherConfig
	Erase       EraseConfig
	Webhooks    WebhookConfig
	Mail        mail.Config
	Instance    instance.Config

	// PublicURL is the address under which browsers reach the site.
	PublicURL string `env:"PUBLIC_URL"`
	// KeyGoodFor is how long a key that was looked up counts without another look, so
	// how long one may outlive its revocation.
	KeyGoodFor time.Duration `env:"API_KEY_GOOD_FOR" envDefault:"1s"`
	// RegisterEnabled opens POST /api/register, for test rigs only.
	RegisterEnabled bool `env:"REGISTER_ENABLED" envDefault:"false"`
	// OpenWait is how long a start waits for the stores to come up.
	OpenWait time.Duration `env:"OPEN_WAIT" envDefault:"60s"`
	// DrainLinger is how long a door that stops or drains serves on with /readyz at 503
	// before its event streams end: the balancer's health interval times its threshold.
	DrainLinger time.Duration `env:"DRAIN_LINGER" envDefault:"2s"`
	// Heartbeat is how often the door says what it did.
	Heartbeat time.Duration `env:"HEARTBEAT" envDefault:"5s"`
}

// Validate checks what the parts do not check themselves.
func (c *Config) Validate() error {
	return errors.Join(
		c.Telemetry.Validate(), c.HTTP.Validate(),
		c.MySQL.Validate(), c.Images.Validate(), c.Queue.Validate(), c.Cache.Validate(), c.Photo.Validate(),
		c.Publisher.Validate(), c.Expander.Validate(), c.Dispatch.Validate(), c.Admission.Validate(), c.Waiting.Validate(),
		c.Batch.Validate(), c.Idempotency.Validate(), c.Quota.Validate(), c.Erase.Validate(), c.Webhooks.Validate(), c.mail(),
		c.memory(), c.Instance.Validate(), positive("OPEN_WAIT", c.OpenWait), positive("HEARTBEAT", c.Heartbeat), notNegative("API_KEY_GOOD_FOR", c.KeyGoodFor),
	)
}

// memory checks that what may be sent can be held, or it would be refused for ever as if
// the door were busy.
func (c *Config) memory() error {
	least := max(c.Photo.MaxBytes+1, leastForJSON(c.Batch.MaxJSONBytes))
	if c.Admission.UploadBytesInFlight < least {
		return fmt.Errorf("UPLOAD_BYTES_IN_FLIGHT must be at least %d for photos of MAX_PHOTO_BYTES and batches of BATCH_MAX_JSON_BYTES; make it more, or them less", least)
	}
	return nil
}

// mail checks that links in mails lead somewhere.
func (c *Config) mail() error {
	if c.Mail.Enabled() && c.PublicURL == "" {
		return errors.New("SMTP_ADDRESS needs PUBLIC_URL, for the links in mails")
	}
	return c.Mail.Validate()
}

// AdmissionConfig says how much the door takes in.
type AdmissionConfig struct {
	// QueueLimit is how many photos may wait, on the broker and in MySQL together.
	QueueLimit int `env:"QUEUE_LIMIT" envDefault:"50000"`
	// BatchQueueLimit is how many photos of batches may wait before batches are refused.
	BatchQueueLimit int `env:"BATCH_QUEUE_LIMIT" envDefault:"1000000"`
	// UploadBytesInFlight bounds the memory of all uploads being taken in, and of photos
	// of batches on their way to S3.
	UploadBytesInFlight int64 `env:"UPLOAD_BYTES_IN_FLIGHT" envDefault:"268435456"`
	// AdmissionInterval is how often depth and stores are looked at.
	AdmissionInterval time.Duration `env:"ADMISSION_INTERVAL" envDefault:"1s"`
}

// Validate checks the ranges.
func (c *AdmissionConfig) Validate() error {
	if c.QueueLimit <= 0 || c.BatchQueueLimit <= 0 || c.UploadBytesInFlight <= 0 {
		return errors.New("QUEUE_LIMIT, BATCH_QUEUE_LIMIT and UPLOAD_BYTES_IN_FLIGHT must be above zero")
	}
	return positive("ADMISSION_INTERVAL", c.AdmissionInterval)
}

// WaitingConfig says how long a request may wait for a result.
type WaitingConfig struct {
	// WaitLimit is the most that Prefer: wait and ?wait= may ask for.
	WaitLimit time.Duration `env:"WAIT_LIMIT" envDefault:"30s"`
	// UploadWait is how long POST /api/upload waits before it answers 504.
	UploadWait time.Duration `env:"UPLOAD_WAIT" envDefault:"30s"`
	// PollInterval is how often MySQL is asked about photos that somebody waits for,
	// in case a done-notice was lost.
	PollInterval time.Duration `env:"WAIT_POLL_INTERVAL" envDefault:"1s"`
}

// Validate checks the ranges.
func (c *WaitingConfig) Validate() error {
	return errors.Join(positive("WAIT_LIMIT", c.WaitLimit), positive("UPLOAD_WAIT", c.UploadWait),
		positive("WAIT_POLL_INTERVAL", c.PollInterval))
}

func positive(name string, d time.Duration) error {
	if d <= 0 {
		return errors.New(name + " must be above zero")
	}
	return nil
}

func notNegative(name string, d time.Duration) error {
	if d < 0 {
		return errors.New(name + " must not be below zero")
	}
	return nil
}
