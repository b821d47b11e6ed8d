package inferenceworker

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"maskfleet/inference-worker/slot"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/instance"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/linkfetch"
	"maskfleet/pkg/photofile"
	"maskfleet/pkg/telemetry"
)

// Config is everything a worker can be told.
type Config struct {
	// ID names this worker for as long as its process lives; empty: as its instance
	// where that is EC2's, which runs one worker, else made at start. No two live
	// workers may share one. It stands in subjects: one word, without dots.
	ID string `env:"WORKER_ID"`
	// DrainTimeout is how long work in hand may go on after a soft stop.
	DrainTimeout time.Duration `env:"DRAIN_TIMEOUT" envDefault:"25s"`
	// StopLimit is how long an interrupted job has to say its last words: its photo
	// is released if the stores answer within it.
	StopLimit time.Duration `env:"STOP_LIMIT" envDefault:"4s"`
	// OpenWait is how long the worker waits at its start for stores that are not up.
	OpenWait time.Duration `env:"OPEN_WAIT" envDefault:"60s"`
	// IdleWait is how long one pull waits for a photo while nothing is queued.
	IdleWait time.Duration `env:"IDLE_WAIT" envDefault:"5s"`
	// RetryBase is the delay before a second attempt; each further one waits four
	// times as long.
	RetryBase time.Duration `env:"RETRY_BASE" envDefault:"2s"`
	// RetryOnBroker is the longest delay that the broker keeps; longer ones wait in
	// the photo's row.
	RetryOnBroker time.Duration `env:"RETRY_ON_BROKER" envDefault:"60s"`
	// OutageProbe is how often stores that were away are asked whether they are back.
	OutageProbe time.Duration `env:"OUTAGE_PROBE" envDefault:"1s"`
	// Heartbeat is how often the worker says that it is alive: the scaler gives up whoever
	// is silent for four of them.
	Heartbeat time.Duration `env:"HEARTBEAT" envDefault:"2s"`
	// ReportInterval is how often it tells what it did, which is kept for a day.
	ReportInterval time.Duration `env:"REPORT_INTERVAL" envDefault:"5s"`

	Instance  instance.Config
	Slots     slot.Config
	Fetch     linkfetch.Config
	Limits    photofile.Limits
	Queue     jobqueue.Config
	Store     jobstore.Config
	Images    imagestore.Config
	Cache     cache.Config
	Telemetry telemetry.Config
}

// Validate says what is wrong with the settings.
func (c *Config) Validate() error {
	var errs []error
	for name, d := range map[string]time.Duration{
		"DRAIN_TIMEOUT": c.DrainTimeout, "STOP_LIMIT": c.StopLimit, "OPEN_WAIT": c.OpenWait,
		"IDLE_WAIT": c.IdleWait, "RETRY_BASE": c.RetryBase,
		"RETRY_ON_BROKER": c.RetryOnBroker, "OUTAGE_PROBE": c.OutageProbe, "HEARTBEAT": c.Heartbeat, "REPORT_INTERVAL": c.ReportInterval,
	} {
		if d <= 0 {
			errs = append(errs, fmt.Errorf("%s is %s, not above 0", name, d))
		}
	}
	if strings.ContainsAny(c.ID, ".*> \t") {
		errs = append(errs, fmt.Errorf("WORKER_ID is %q, not one word without dots", c.ID))
	}
	return errors.Join(append(errs,
		c.Instance.Validate(), c.Slots.Validate(), c.Fetch.Validate(), c.Limits.Validate(), c.Queue.Validate(),
		c.Store.Validate(), c.Images.Validate(), c.Cache.Validate(), c.Telemetry.Validate())...)
}

// lease is how long a claim holds: as long as a job may take, and then as long as
// the broker waits before it gives the photo to another worker.
func (c *Config) lease() time.Duration { return c.Slots.ItemTimeout + c.Queue.AckWait }
