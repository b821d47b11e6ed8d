package photofile

import (
	"errors"
	"fmt"
)

// Limits are what a photo may be at most and must be at least.
type Limits struct {
	MaxBytes  int64 `env:"MAX_PHOTO_BYTES" envDefault:"10485760"`
	MinSide   int   `env:"MIN_PHOTO_SIDE" envDefault:"32"`         // pixels
	MaxSide   int   `env:"MAX_PHOTO_SIDE" envDefault:"8192"`       // pixels
	MaxPixels int   `env:"MAX_PHOTO_PIXELS" envDefault:"40000000"` // width × height
}

// Validate says what is wrong with the limits.
func (l Limits) Validate() error {
	if l.MaxBytes <= 0 || l.MinSide <= 0 || l.MaxSide < l.MinSide || l.MaxPixels < l.MinSide*l.MinSide {
		return fmt.Errorf("photo limits %+v admit nothing", l)
	}
	return nil
}

// checkSize is made so that no product of two sides can overflow.
func (l Limits) checkSize(width, height int) error {
	switch {
	case width > l.MaxSide || height > l.MaxSide:
		return errTooLarge
	case width < l.MinSide || height < l.MinSide:
		return errTooSmall
	case width*height > l.MaxPixels:
		return errTooLarge
	}
	return nil
}

var (
	errTooLarge = errors.New("more pixels than the limit")
	errTooSmall = errors.New("fewer pixels than the limit")
)
