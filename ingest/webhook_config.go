package ingest

import (
	"errors"
	"time"

	"maskfleet/pkg/webhook/poster"
)

// WebhookConfig is how the events of an account are posted to its endpoints.
type WebhookConfig struct {
	Post poster.Config

	// Interval is how often a door looks for deliveries that are due.
	Interval time.Duration `env:"WEBHOOK_INTERVAL" envDefault:"1s"`
	// ClaimMargin is how much longer a delivery is a door's than a try can take: time to
	// record it. If a door dies, another takes over after both.
	ClaimMargin time.Duration `env:"WEBHOOK_CLAIM_MARGIN" envDefault:"15s"`
	// Concurrency is how many messages a door posts to one endpoint at once.
	Concurrency int `env:"WEBHOOK_CONCURRENCY" envDefault:"4"`
	// Endpoints is to how many endpoints a door posts at once.
	Endpoints int `env:"WEBHOOK_ENDPOINTS" envDefault:"64"`
	// PerAccount is how many endpoints an account may have.
	PerAccount int `env:"WEBHOOKS_PER_ACCOUNT" envDefault:"20"`
	// SecretOverlap is how long the old secret signs too after a rotation.
	SecretOverlap time.Duration `env:"WEBHOOK_SECRET_OVERLAP" envDefault:"24h"`
	// KeepLog is how long deliveries can be seen and asked for again.
	KeepLog time.Duration `env:"WEBHOOK_KEEP_LOG" envDefault:"720h"`
}

// Validate checks the ranges.
func (c *WebhookConfig) Validate() error {
	err := c.Post.Validate()
	if c.Concurrency < 1 || c.Endpoints < 1 || c.PerAccount < 1 {
		err = errors.Join(err, errors.New("WEBHOOK_CONCURRENCY, WEBHOOK_ENDPOINTS and WEBHOOKS_PER_ACCOUNT must be at least 1"))
	}
	return errors.Join(err, positive("WEBHOOK_INTERVAL", c.Interval), positive("WEBHOOK_CLAIM_MARGIN", c.ClaimMargin),
		positive("WEBHOOK_SECRET_OVERLAP", c.SecretOverlap), positive("WEBHOOK_KEEP_LOG", c.KeepLog))
}
