package visionconfig

import (
	"errors"
	"fmt"
)

// WorkingPoint is how closely photos are looked at; how many pixels that takes is
// the model's to say.
type WorkingPoint string

// The working points of every model.
const (
	Accurate WorkingPoint = "accurate"
	Fast     WorkingPoint = "fast"
)

// WorkingPoints gives all of them.
func WorkingPoints() []WorkingPoint { return []WorkingPoint{Fast, Accurate} }

// Tiles says whether large photos are also looked at in parts.
type Tiles string

// The ways with tiles.
const (
	TilesOff  Tiles = "off"  // each photo as a whole only
	TilesAuto Tiles = "auto" // also in tiles, where the photo has far more pixels than the network sees at once
)

// Config is which model looks at photos, and how.
type Config struct {
	// ModelFolder holds a manifest.json and the network it names; empty: the model
	// that is part of the program. See docs/models.md.
	ModelFolder string `env:"MODEL_FOLDER"`
	// WorkingPoint is accurate or fast.
	WorkingPoint WorkingPoint `env:"WORKING_POINT" envDefault:"accurate"`
	// Tiles is off or auto. Tiles find small faces in large photos, at many times the
	// cost of such a photo.
	Tiles Tiles `env:"MODEL_TILES" envDefault:"off"`
	// LeastConfidence replaces the manifest's thresholds, to measure a model below
	// them; 0: as in the manifest. Not for workers.
	LeastConfidence float64
}

// Validate says what is wrong with the settings; the folder is looked at when the
// model is loaded.
func (c Config) Validate() error {
	var errs []error
	if c.WorkingPoint != Accurate && c.WorkingPoint != Fast {
		errs = append(errs, fmt.Errorf("WORKING_POINT is %q, not %s or %s", c.WorkingPoint, Accurate, Fast))
	}
	if c.Tiles != TilesOff && c.Tiles != TilesAuto {
		errs = append(errs, fmt.Errorf("MODEL_TILES is %q, not %s or %s", c.Tiles, TilesOff, TilesAuto))
	}
	if !(c.LeastConfidence >= 0 && c.LeastConfidence < 1) { // NaN too
		errs = append(errs, fmt.Errorf("the least confidence is %v, not 0 to below 1", c.LeastConfidence))
	}
	return errors.Join(errs...)
}
