package slot

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"maskfleet/pkg/visionconfig"
)

// Config is how a worker keeps its slots.
type Config struct {
	// Program is the slot program, a path or a name on the PATH.
	Program string `env:"SLOT_PROGRAM" envDefault:"slot"`
	// Slots is how many photos are worked on at once; 0: as many as there are cores.
	Slots int `env:"SLOTS" envDefault:"0"`
	// ItemTimeout is how long a slot may take over one photo.
	ItemTimeout time.Duration `env:"ITEM_TIMEOUT" envDefault:"60s"`
	// DataLimitBytes bounds what a slot may allocate and hold resident. A slot at
	// rest holds about 180 MB, a photo of 40 megapixels up to 480 MB more.
	DataLimitBytes int64 `env:"SLOT_DATA_LIMIT_BYTES" envDefault:"805306368"`
	// ReplaceAboveBytes is the resident size above which a slot is replaced after a
	// photo, because the allocator keeps what a large one needed.
	ReplaceAboveBytes int64 `env:"SLOT_REPLACE_ABOVE_BYTES" envDefault:"314572800"`
	// Nice is by how much the slots stand behind other programs.
	Nice int `env:"SLOT_NICE" envDefault:"5"`
	// SimulateFaults lets photos ask a slot to crash, hang or eat memory. For tests.
	SimulateFaults bool `env:"SLOT_SIMULATE_FAULTS" envDefault:"false"`
	// Vision is the model that the slots run, and how.
	Vision visionconfig.Config
}

const smallestDataLimitBytes = 256 << 20 // the model and the libraries alone need most of it

// Validate says what is wrong with the settings.
func (c Config) Validate() error {
	var errs []error
	if c.Program == "" {
		errs = append(errs, errors.New("SLOT_PROGRAM is empty"))
	}
	if c.Slots < 0 || c.Slots > 256 {
		errs = append(errs, fmt.Errorf("SLOTS is %d, not 0 to 256", c.Slots))
	}
	if c.ItemTimeout <= 0 {
		errs = append(errs, fmt.Errorf("ITEM_TIMEOUT is %s, not above 0", c.ItemTimeout))
	}
	if c.DataLimitBytes < smallestDataLimitBytes {
		errs = append(errs, fmt.Errorf("SLOT_DATA_LIMIT_BYTES is %d, below %d", c.DataLimitBytes, smallestDataLimitBytes))
	}
	if c.ReplaceAboveBytes <= 0 {
		errs = append(errs, fmt.Errorf("SLOT_REPLACE_ABOVE_BYTES is %d, not above 0", c.ReplaceAboveBytes))
	}
	if c.Nice < 0 || c.Nice > 19 {
		errs = append(errs, fmt.Errorf("SLOT_NICE is %d, not 0 to 19", c.Nice))
	}
	return errors.Join(append(errs, c.Vision.Validate())...)
}

func (c Config) withDefaults() Config {
	if c.Slots == 0 {
		c.Slots = runtime.NumCPU()
	}
	return c
}
