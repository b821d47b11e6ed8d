package jobqueue

import (
	"errors"
	"time"

	"maskfleet/pkg/jobqueue/internal/connect"
)

const (
	minMaxBytes = 1 << 20
	minInterval = 100 * time.Millisecond // the broker's own least for windows and lifetimes
)

// Config says where NATS is and how the streams on it are made.
type Config struct {
	URL string `env:"NATS_URL" envDefault:"nats://127.0.0.1:4222"` // several: comma between them
	// User is one of deployments/nats/accounts.conf. A service that answers commands
	// connects a second time, as User-commands with the same password.
	User     string `env:"NATS_USER"`
	Password string `env:"NATS_PASSWORD" secret:"true"`
	// Replicas is how many servers of a cluster hold each stream: 1, 3 or 5.
	Replicas int `env:"NATS_REPLICAS" envDefault:"1"`

	// MaxMessages and MaxBytes are the limits of JOBS; a photo over them is ErrFull.
	MaxMessages int64 `env:"JOBS_MAX_MESSAGES" envDefault:"100000"`
	MaxBytes    int64 `env:"JOBS_MAX_BYTES" envDefault:"268435456"`
	// AckWait is how long a delivery stays with a worker that does not extend it.
	AckWait time.Duration `env:"JOBS_ACK_WAIT" envDefault:"30s"`
	// DuplicateWindow is how long the broker knows a publication again.
	DuplicateWindow time.Duration `env:"JOBS_DUPLICATE_WINDOW" envDefault:"10m"`
	// PresenceTTL is the life of a worker's entry and of a lease that nobody renews.
	PresenceTTL time.Duration `env:"PRESENCE_TTL" envDefault:"15s"`
}

func (c Config) login() connect.Login {
	return connect.Login{URL: c.URL, User: c.User, Password: c.Password, Client: clientName}
}

// CommandLogin is that of the connection over which commands are answered.
func (c Config) CommandLogin() connect.Login { return c.login().Commands() }

// Validate says what is wrong with the settings, all of it at once.
func (c Config) Validate() error {
	var errs []error
	wrong := func(bad bool, text string) {
		if bad {
			errs = append(errs, errors.New(text))
		}
	}
	wrong(c.URL == "", "NATS_URL must not be empty")
	wrong(c.User != "" && !isToken(c.User), "NATS_USER must be one word without dots")
	wrong(c.Replicas != 1 && c.Replicas != 3 && c.Replicas != 5, "NATS_REPLICAS must be 1, 3 or 5")
	wrong(c.MaxMessages < 1, "JOBS_MAX_MESSAGES must be at least 1")
	wrong(c.MaxBytes < minMaxBytes, "JOBS_MAX_BYTES must be at least 1 MiB")
	wrong(c.AckWait < minInterval, "JOBS_ACK_WAIT must be at least 100ms")
	wrong(c.DuplicateWindow < minInterval, "JOBS_DUPLICATE_WINDOW must be at least 100ms")
	wrong(c.PresenceTTL < minInterval, "PRESENCE_TTL must be at least 100ms")
	return errors.Join(errs...)
}
