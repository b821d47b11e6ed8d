package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"maskfleet/pkg/account"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
)

// Made is what can be told this once: passwords and keys are stored as digests.
type Made struct {
	Administrator string `json:"administrator"`
	Password      string `json:"password,omitempty"` // of an account just made
	APIKey        string `json:"api_key,omitempty"`  // just made
}

func setUp(ctx context.Context, cfg Config, log *slog.Logger) (Made, error) {
	if err := jobstore.Migrate(ctx, cfg.Store, log); err != nil {
		return Made{}, err
	}
	if err := ensureStreams(ctx, cfg.Queue, log); err != nil {
		return Made{}, err
	}
	if err := ensureBucket(ctx, cfg.Images); err != nil {
		return Made{}, err
	}
	store, err := jobstore.Open(ctx, cfg.Store)
	if err != nil {
		return Made{}, err
	}
	made, err := ensureAdministrator(ctx, store, cfg)
	return made, errors.Join(err, store.Close())
}

func ensureStreams(ctx context.Context, cfg jobqueue.Config, log *slog.Logger) error {
	queue, err := jobqueue.Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer queue.Close()
	return queue.Ensure(ctx)
}

func ensureBucket(ctx context.Context, cfg imagestore.Config) error {
	images, err := imagestore.Open(ctx, cfg)
	if err != nil {
		return err
	}
	return images.EnsureBucket(ctx)
}

// ensureAdministrator makes an account only where there is none at all: to make
// one later, by a name somebody has given up, would be a back door.
func ensureAdministrator(ctx context.Context, store *jobstore.Store, cfg Config) (Made, error) {
	made := Made{Administrator: cfg.AdminName}
	accounts := account.New(store, nil, account.Config{}) // nobody logs in here
	users, err := store.CountUsers(ctx)
	if err != nil {
		return Made{}, err
	}
	var administrator jobstore.User
	if users == 0 {
		administrator, made.Password, err = makeAdministrator(ctx, accounts, cfg)
	}
	taken := errors.Is(err, jobstore.ErrUsernameTaken) // by another setup at this moment
	if err != nil && !taken {
		return Made{}, err
	}
	if made.Password == "" {
		if cfg.APIKey != keyNew {
			return made, nil
		}
		if administrator, err = store.FindUserByName(ctx, cfg.AdminName); err != nil {
			return Made{}, fmt.Errorf("finding whose API key to make: %w", err)
		}
	}
	made.APIKey, _, err = accounts.NewAPIKey(ctx, administrator, "setup", []string{account.ScopeRead, account.ScopeWrite})
	return made, err
}

// makeAdministrator gives the password only if the account is new.
func makeAdministrator(ctx context.Context, accounts *account.Accounts, cfg Config) (jobstore.User, string, error) {
	password := cfg.AdminPassword
	if password == "" {
		password = account.NewPassword()
	}
	user, err := accounts.RegisterAdministrator(ctx, cfg.AdminName, password)
	if err != nil {
		return jobstore.User{}, "", err
	}
	return user, password, nil
}
