package jobstore

import (
	"context"
	"errors"
	"log/slog"
)

// MigrateDown takes every migration back.
func MigrateDown(ctx context.Context, c Config, log *slog.Logger) error {
	provider, err := newProvider(c, log)
	if err != nil {
		return err
	}
	_, err = provider.DownTo(ctx, 0)
	return errors.Join(err, provider.Close())
}
