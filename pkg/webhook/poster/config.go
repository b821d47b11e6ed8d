package poster

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"maskfleet/pkg/linkfetch"
)

// Config is how webhooks are posted.
type Config struct {
	// Allow names addresses ("127.0.0.1:9000") to which webhooks may go although
	// they are private or on a port other than 80, 443, 8080 and 8443. It never opens
	// the metadata addresses of clouds.
	Allow []string `env:"WEBHOOK_ALLOW"`
	// Timeout bounds one try, from the look-up of the name to the end of the answer.
	Timeout time.Duration `env:"WEBHOOK_TIMEOUT" envDefault:"15s"`
	// Retries are the waits after each failed try; a delivery has failed for good when
	// the last of them has passed in vain.
	Retries []time.Duration `env:"WEBHOOK_RETRIES" envDefault:"5s,5m,30m,2h,5h,10h"`
}

// Validate says what is wrong with the settings.
func (c Config) Validate() error {
	var errs []error
	if _, err := linkfetch.Dialer(c.Allow); err != nil {
		errs = append(errs, fmt.Errorf("WEBHOOK_ALLOW: %w", err))
	}
	if c.Timeout <= 0 {
		errs = append(errs, errors.New("WEBHOOK_TIMEOUT must be above zero"))
	}
	if slices.ContainsFunc(c.Retries, func(wait time.Duration) bool { return wait <= 0 }) {
		errs = append(errs, errors.New("WEBHOOK_RETRIES must be above zero, each of them"))
	}
	return errors.Join(errs...)
}
