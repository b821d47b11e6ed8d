package config

import (
	"fmt"

	"github.com/caarlos0/env/v11"
)

// Load fills a T from environ ("NAME=value", as os.Environ gives it) by its `env`
// and `envDefault` tags. Structs within T are filled too, under the names as they
// stand. If *T has a method Validate() error, its verdict is Load's.
func Load[T any](environ []string) (T, error) {
	cfg, err := env.ParseAsWithOptions[T](env.Options{Environment: env.ToMap(environ)})
	if err != nil {
		return cfg, fmt.Errorf("reading the environment: %w", err)
	}
	if v, ok := any(&cfg).(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return cfg, fmt.Errorf("checking the settings: %w", err)
		}
	}
	return cfg, nil
}
