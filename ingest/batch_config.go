package ingest

import (
	"errors"
	"time"

	"maskfleet/pkg/job"
)

// BatchConfig says how large batches may be and how long they may wait.
type BatchConfig struct {
	// MaxItemsJSON is how many items a JSON body may have, MaxItems any other batch.
	MaxItemsJSON int `env:"BATCH_MAX_ITEMS_JSON" envDefault:"1000"`
	MaxItems     int `env:"BATCH_MAX_ITEMS" envDefault:"50000"`
	// MaxJSONBytes bounds a JSON body, which is held in memory; manifests and archives
	// are streamed.
	MaxJSONBytes     int64 `env:"BATCH_MAX_JSON_BYTES" envDefault:"33554432"`
	MaxManifestBytes int64 `env:"BATCH_MAX_MANIFEST_BYTES" envDefault:"2147483648"`
	MaxArchiveBytes  int64 `env:"BATCH_MAX_ARCHIVE_BYTES" envDefault:"2147483648"`
	// Window is how long the items of one run may wait.
	Window time.Duration `env:"BATCH_WINDOW" envDefault:"24h"`
}

// Validate checks the ranges.
func (c *BatchConfig) Validate() error {
	switch {
	case c.MaxItemsJSON <= 0 || c.MaxItems <= 0 || c.MaxItems > job.MaxBatchItems:
		return errors.New("BATCH_MAX_ITEMS_JSON and BATCH_MAX_ITEMS must be above zero and at most 1048576")
	case c.MaxJSONBytes <= 0 || c.MaxManifestBytes <= 0 || c.MaxArchiveBytes <= 0:
		return errors.New("BATCH_MAX_JSON_BYTES, BATCH_MAX_MANIFEST_BYTES and BATCH_MAX_ARCHIVE_BYTES must be above zero")
	}
	return positive("BATCH_WINDOW", c.Window)
}
