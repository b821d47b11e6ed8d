package instance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"maskfleet/pkg/lifecycle"
)

// ErrUnnamed means that nobody says which machine this is.
var ErrUnnamed = errors.New("this machine has no name: set INSTANCE_ID where there is no EC2 metadata service")

// Instance is the machine that the program runs on.
type Instance struct {
	ID   string
	Zone string // empty: not known
	// Found says that the name is EC2's own, not that of a setting.
	Found bool

	metadata *metadata // nil: there is none to be asked
	watch    time.Duration
}

// Open finds out which machine this is. It asks the metadata service only if the
// settings do not name the machine, and then waits for it up to Config.Wait.
//
// The service is asked for spot notices where it named the machine or the settings say
// where it is, and nowhere else: elsewhere its address leads to strangers.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Instance, error) {
	i := &Instance{ID: cfg.ID, Zone: cfg.Zone, watch: cfg.Watch}
	if cfg.ID == "" || cfg.Endpoint != "" {
		i.metadata = newMetadata(cfg.Endpoint)
	}
	if i.ID != "" {
		return i, nil
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Wait)
	defer cancel()
	err := lifecycle.Patiently(ctx, log, "ec2 metadata", func() error { return i.find(ctx) })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnnamed, err)
	}
	log.InfoContext(ctx, "this machine is", "instance", i.ID, "zone", i.Zone)
	return i, nil
}

func (i *Instance) find(ctx context.Context) (err error) {
	if i.ID, err = i.metadata.get(ctx, "instance-id"); err != nil {
		return err
	}
	if i.Zone == "" {
		if i.Zone, err = i.metadata.get(ctx, "placement/availability-zone"); err != nil {
			return err
		}
	}
	if i.Found = i.ID != "" && isWord(i.ID); !i.Found {
		return fmt.Errorf("the metadata service calls this machine %.70q", i.ID)
	}
	return nil
}
