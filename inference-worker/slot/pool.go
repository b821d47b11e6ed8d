package slot

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/job"
)

// Pool is a worker's slots.
type Pool struct {
	cfg     Config
	log     *slog.Logger
	metrics metrics
	tokens  chan *Slot // unbuffered: what is offered is alive; never closed

	mu    sync.Mutex // guards model
	model job.Model
}

// NewPool prepares a pool, finds the slot program, and has it try out a model that is
// not the embedded one; Run starts the slots.
func NewPool(cfg Config, log *slog.Logger, registerer prometheus.Registerer) (*Pool, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("checking the slots' settings: %w", err)
	}
	program, err := exec.LookPath(cfg.Program)
	if err != nil {
		return nil, fmt.Errorf("finding the slot program: %w", err)
	}
	if cfg.Program, err = filepath.Abs(program); err != nil {
		return nil, fmt.Errorf("finding the slot program: %w", err)
	}
	pool := &Pool{
		cfg:     cfg.withDefaults(),
		log:     log,
		metrics: newMetrics(registerer),
		tokens:  make(chan *Slot),
	}
	if cfg.Vision.ModelFolder != "" {
		if err := pool.tryModel(); err != nil {
			return nil, fmt.Errorf("trying out the model of MODEL_FOLDER: %w", err)
		}
	}
	return pool, nil
}

// tryModel starts a slot once, so that a model folder that is no good is found out
// before any photo is taken.
func (p *Pool) tryModel() error {
	folder, err := filepath.Abs(p.cfg.Vision.ModelFolder) // a slot starts elsewhere
	if err != nil {
		return err
	}
	p.cfg.Vision.ModelFolder = folder
	proc, err := startProcess(context.Background(), p.cfg, p.log)
	if err != nil {
		return err
	}
	p.model = proc.model
	proc.stop()
	return nil
}

// Tokens gives out free slots; each must be released. Nothing comes while all
// slots are busy or starting, or after Run has ended.
func (p *Pool) Tokens() <-chan *Slot { return p.tokens }

// Size is how many slots the pool keeps.
func (p *Pool) Size() int { return p.cfg.Slots }

// Model is what the slots said they run; empty until the first was ready. What made a
// result stands in its Output.
func (p *Pool) Model() job.Model {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.model
}

// Run keeps the slots alive. When ctx ends, idle slots end at once and taken ones
// when they are released; Run returns when all are gone.
func (p *Pool) Run(ctx context.Context) error {
	var keepers sync.WaitGroup
	for range p.cfg.Slots {
		keepers.Go(func() { p.keep(ctx) })
	}
	keepers.Wait()
	return nil
}
