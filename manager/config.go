package manager

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"maskfleet/pkg/account"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/telemetry"
)

// Config is every setting of the manager.
type Config struct {
	Telemetry telemetry.Config
	HTTP      httpserver.Config
	MySQL     jobstore.Config
	Queue     jobqueue.Config
	Cache     cache.Config
	Images    imagestore.Config
	Accounts  account.Config
	Reading   ReadingConfig

	// QueueLimit is how many photos may wait before none is submitted; that of the doors.
	QueueLimit int `env:"QUEUE_LIMIT" envDefault:"50000"`
	// PublicURL is the address under which browsers reach the site.
	PublicURL string `env:"PUBLIC_URL"`
	// EntryURL is where the site's load balancer answers, for a link; empty: not known.
	EntryURL string `env:"ENTRY_URL"`
	// NATSMonitorURL is the broker's monitor, such as http://127.0.0.1:8222, which says
	// how often the broker writes to its disk; empty: nobody is asked.
	NATSMonitorURL string `env:"NATS_MONITOR_URL"`
	// Consoles are where people look at what lies beneath.
	Consoles ConsoleConfig
	// OpenWait is how long a start waits for the stores to come up.
	OpenWait time.Duration `env:"OPEN_WAIT" envDefault:"60s"`
	// DrainLinger is how long a stopping manager serves on.
	DrainLinger time.Duration `env:"DRAIN_LINGER" envDefault:"0s"`
}

// ConsoleConfig are addresses of consoles, such as AWS's, for links; those that are
// empty are not shown.
type ConsoleConfig struct {
	S3  string `env:"MANAGER_S3_URL"`
	RDS string `env:"MANAGER_RDS_URL"`
	EC2 string `env:"MANAGER_EC2_URL"`
}

func (c ConsoleConfig) validate() error {
	var wrong []error
	for name, address := range map[string]string{"MANAGER_S3_URL": c.S3, "MANAGER_RDS_URL": c.RDS, "MANAGER_EC2_URL": c.EC2} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
			wrong = append(wrong, fmt.Errorf("%s is %q, not an address such as https://console.aws.amazon.com/ec2", name, address))
		}
	}
	return errors.Join(wrong...)
}

// ReadingConfig says how often the parts are read.
type ReadingConfig struct {
	// LiveInterval is how often browsers are told, and how often the broker and
	// Redis are asked.
	LiveInterval time.Duration `env:"LIVE_INTERVAL" envDefault:"1s"`
	// CountInterval is how often MySQL is asked what is open.
	CountInterval time.Duration `env:"COUNT_INTERVAL" envDefault:"1s"`
	// TotalInterval is how often all photos are counted, and the last half hour's,
	// which reads a whole index.
	TotalInterval time.Duration `env:"TOTAL_INTERVAL" envDefault:"10s"`
	// ReadTimeout is the deadline of one reading.
	ReadTimeout time.Duration `env:"READ_TIMEOUT" envDefault:"3s"`
	// StaleAfter is the age at which a reading turns grey, beyond its interval.
	StaleAfter time.Duration `env:"STALE_AFTER" envDefault:"3s"`
	// SessionGrace is how long people who were here lately stay while sessions
	// cannot be read, so that an operator sees what an outage does.
	SessionGrace time.Duration `env:"SESSION_GRACE" envDefault:"15m"`
	// CatchUpTime is how long an action waits for the readings to show what it did:
	// what is decided every few seconds may take so long.
	CatchUpTime time.Duration `env:"CATCH_UP_TIME" envDefault:"3s"`
	// CatchUpOnce is how long it waits for one look at everything; a part that is slow
	// or away must not keep the person.
	CatchUpOnce time.Duration `env:"CATCH_UP_ONCE" envDefault:"1s"`
}

// Validate checks what the parts do not check themselves.
func (c *Config) Validate() error {
	if c.QueueLimit <= 0 {
		return errors.New("QUEUE_LIMIT must be above zero")
	}
	return errors.Join(c.Telemetry.Validate(), c.HTTP.Validate(), c.MySQL.Validate(), c.Queue.Validate(), c.Cache.Validate(), c.Images.Validate(), c.Consoles.validate(), c.Reading.validate())
}

func (c ReadingConfig) validate() error {
	for _, d := range []time.Duration{c.LiveInterval, c.CountInterval, c.TotalInterval, c.ReadTimeout, c.StaleAfter, c.CatchUpTime, c.CatchUpOnce} {
		if d <= 0 {
			return errors.New("LIVE_INTERVAL, COUNT_INTERVAL, TOTAL_INTERVAL, READ_TIMEOUT, STALE_AFTER, CATCH_UP_TIME and CATCH_UP_ONCE must be above zero")
		}
	}
	return nil
}
