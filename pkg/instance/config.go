package instance

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
)

const longestName = 64

// Role is a part of the product that an instance may play.
type Role string

// The roles, by the names of their programs.
const (
	RoleIngest Role = "ingest"
	RoleWorker Role = "inference-worker"
)

// Config says which machine this is and what runs on it.
type Config struct {
	// ID is the machine's name. Empty: EC2's, and the zone, by its metadata service. It
	// stands in subjects: one word, without dots.
	ID   string `env:"INSTANCE_ID"`
	Zone string `env:"INSTANCE_ZONE"`
	// Roles are what the machine does. One image's services all start; those whose role
	// is not named end at once, in good order.
	Roles []Role `env:"MASKFLEET_ROLES" envDefault:"ingest,inference-worker"`
	// Endpoint is where the metadata service answers, as AWS's own programs are told.
	Endpoint string `env:"AWS_EC2_METADATA_SERVICE_ENDPOINT"`
	// Wait is how long a start waits for the service: the network may come up later.
	Wait time.Duration `env:"INSTANCE_METADATA_WAIT" envDefault:"10s"`
	// Stat is where the kernel says what of the machine's CPU is used, as in proc(5).
	Stat string `env:"INSTANCE_STAT" envDefault:"/proc/stat"`
	// Watch is how often it is asked whether the cloud wants the machine back.
	Watch time.Duration `env:"SPOT_WATCH_INTERVAL" envDefault:"5s"`
}

// Validate says what is wrong with the settings, all of it at once.
func (c *Config) Validate() error {
	var errs []error
	if !isWord(c.ID) {
		errs = append(errs, fmt.Errorf("INSTANCE_ID is %q, not one short word without dots", c.ID))
	}
	if len(c.Roles) == 0 {
		errs = append(errs, errors.New("MASKFLEET_ROLES names none"))
	}
	for _, role := range c.Roles {
		if role != RoleIngest && role != RoleWorker {
			errs = append(errs, fmt.Errorf("MASKFLEET_ROLES names %q, which is neither %s nor %s", role, RoleIngest, RoleWorker))
		}
	}
	if u, err := url.Parse(c.Endpoint); c.Endpoint != "" && (err != nil || u.Scheme != "http" || u.Host == "") {
		errs = append(errs, fmt.Errorf("AWS_EC2_METADATA_SERVICE_ENDPOINT is %q, no http address", c.Endpoint))
	}
	if c.Wait <= 0 || c.Watch <= 0 {
		errs = append(errs, errors.New("INSTANCE_METADATA_WAIT and SPOT_WATCH_INTERVAL must be above 0"))
	}
	return errors.Join(errs...)
}

// isWord says whether s can be one part of a subject; empty is left to the caller.
func isWord(s string) bool { return len(s) <= longestName && !strings.ContainsAny(s, ".*> \t\r\n") }

// Plays says whether the machine has the role.
func (c *Config) Plays(role Role) bool { return slices.Contains(c.Roles, role) }

// LeavesOut says, in the log too, that the machine does not have the role, and that the
// program for it has nothing to do.
func (c *Config) LeavesOut(role Role, log *slog.Logger) bool {
	if c.Plays(role) {
		return false
	}
	log.Info("not a role of this instance, nothing to do", "role", role, "roles", c.RoleNames())
	return true
}

// RoleNames are the roles as the setting has them, each once.
func (c *Config) RoleNames() string {
	var names []string
	for _, role := range c.Roles {
		if !slices.Contains(names, string(role)) {
			names = append(names, string(role))
		}
	}
	return strings.Join(names, ",")
}
