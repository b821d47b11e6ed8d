package scaler

import (
	"errors"
	"fmt"
	"time"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/telemetry"
	"maskfleet/scaler/decide"
)

// Config is every setting of the scaler; how it decides stands in the policy document.
type Config struct {
	Telemetry telemetry.Config
	MySQL     jobstore.Config
	Queue     jobqueue.Config
	Fleet     fleet.Config

	// OpenWait is how long a start waits for the stores to come up.
	OpenWait time.Duration `env:"OPEN_WAIT" envDefault:"60s"`
	// InitialPolicy is the policy document until somebody puts one; empty: the usual.
	InitialPolicy string `env:"SCALING_POLICY"`
	// LeaseRenewal is how often the lease is renewed, or asked for.
	LeaseRenewal time.Duration `env:"LEASE_RENEWAL" envDefault:"2s"`
	// ReadTimeout is the deadline of one reading.
	ReadTimeout time.Duration `env:"READ_TIMEOUT" envDefault:"3s"`
	// QueueInterval is how often the queue and what was accepted are read.
	QueueInterval time.Duration `env:"QUEUE_INTERVAL" envDefault:"1s"`
	// FleetInterval is how often the instances are listed, two calls to AWS each.
	FleetInterval time.Duration `env:"FLEET_INTERVAL" envDefault:"2s"`
	// CountersInterval is how often workers' counters are read from the telemetry.
	CountersInterval time.Duration `env:"COUNTERS_INTERVAL" envDefault:"2s"`
	// CPUInterval is how often CloudWatch is asked for the CPU, whose readings are of
	// whole minutes.
	CPUInterval time.Duration `env:"CPU_INTERVAL" envDefault:"30s"`
	// MeasureInterval is how often CloudWatch is told of requests, jobs and the queue.
	MeasureInterval time.Duration `env:"MEASURE_INTERVAL" envDefault:"1m"`
	// ReportInterval is how often the fleet's reading is told, for charts and replays.
	ReportInterval time.Duration `env:"REPORT_INTERVAL" envDefault:"5s"`
	// SaveInterval is how often what was learned is stored.
	SaveInterval time.Duration `env:"SAVE_INTERVAL" envDefault:"1m"`

	// DrainDeadline is how long a draining instance may take to finish what it has in
	// hand and leave the balancer, before it is ended all the same.
	DrainDeadline time.Duration `env:"DRAIN_DEADLINE" envDefault:"10m"`
	// LeastAge is how long an instance is kept by a policy: AWS bills a minute at least.
	LeastAge time.Duration `env:"LEAST_AGE" envDefault:"1m"`
	// KeepStopped is how many instances are stopped instead of terminated, to be
	// started again.
	KeepStopped int `env:"KEEP_STOPPED" envDefault:"0"`
	// KeepDecisions is how long decisions can be looked up.
	KeepDecisions time.Duration `env:"KEEP_DECISIONS" envDefault:"168h"`
}

// Validate checks what the parts do not check themselves.
func (c *Config) Validate() error {
	for name, d := range map[string]time.Duration{
		"LEASE_RENEWAL": c.LeaseRenewal, "READ_TIMEOUT": c.ReadTimeout, "QUEUE_INTERVAL": c.QueueInterval, "FLEET_INTERVAL": c.FleetInterval,
		"COUNTERS_INTERVAL": c.CountersInterval, "CPU_INTERVAL": c.CPUInterval, "MEASURE_INTERVAL": c.MeasureInterval,
		"REPORT_INTERVAL": c.ReportInterval, "SAVE_INTERVAL": c.SaveInterval, "DRAIN_DEADLINE": c.DrainDeadline, "KEEP_DECISIONS": c.KeepDecisions,
	} {
		if d <= 0 {
			return fmt.Errorf("%s must be above zero", name)
		}
	}
	if c.KeepStopped < 0 || c.LeastAge < 0 {
		return errors.New("KEEP_STOPPED and LEAST_AGE must not be negative")
	}
	// A call of AWS must fit into what is left of the lease between two renewals.
	if c.LeaseRenewal+c.Fleet.CallTimeout >= c.Queue.PresenceTTL {
		return fmt.Errorf("FLEET_CALL_TIMEOUT (%s) and LEASE_RENEWAL (%s) must together be shorter than a lease (%s)",
			c.Fleet.CallTimeout, c.LeaseRenewal, c.Queue.PresenceTTL)
	}
	if _, err := c.initialPolicy(); err != nil {
		return fmt.Errorf("SCALING_POLICY: %w", err)
	}
	return errors.Join(c.Telemetry.Validate(), c.MySQL.Validate(), c.Queue.Validate(), c.Fleet.Validate())
}

// leastAge is how old an instance must be to be retired by that decision: LeastAge, but
// for the size that a person pinned.
func (c *Config) leastAge(d decide.Decision) time.Duration {
	if d.Override != nil && d.Override.Kind == decide.Pin {
		return 0
	}
	return c.LeastAge
}

func (c *Config) initialPolicy() (decide.Policy, error) {
	if c.InitialPolicy == "" {
		return decide.DefaultPolicy(), nil
	}
	return decide.ReadPolicy([]byte(c.InitialPolicy))
}
