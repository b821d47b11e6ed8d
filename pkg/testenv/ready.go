package testenv

import (
	"context"
	"fmt"
	"time"
)

const probeInterval = 10 * time.Millisecond

// ready waits until probe succeeds. A process that ends meanwhile, or is not ready
// within limit, is an error that shows what it printed; it is gone then.
func (p *Process) ready(limit time.Duration, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.Ended():
			return fmt.Errorf("%s ended at its start: %w\n%s", p.cmd.Path, p.Err(), p.Output())
		case <-ctx.Done():
			p.Kill()
			return fmt.Errorf("%s is not ready: %w\n%s", p.cmd.Path, err, p.Output())
		case <-time.After(probeInterval):
		}
	}
}
