package main

import (
	"testing"

	"maskfleet/pkg/account"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

func TestSetUpMakesOneAdministratorAndKeysOnDemand(t *testing.T) {
	t.Parallel()
	queue, _ := testenv.NATS(t)
	cfg := Config{
		Store: testenv.EmptyMariaDB(t), Queue: queue, Images: testenv.S3(t),
		AdminName: "admin", AdminPassword: "a password of the first day", APIKey: keyFirst,
	}
	cfg.Images.Bucket += "-new" // testenv has made its own

	first := mustSetUp(t, cfg)
	if first.Password != cfg.AdminPassword || first.APIKey == "" {
		t.Errorf("first set-up made %+v, want the given password and a key", first)
	}
	cfg.AdminPassword = "a later password, of no effect"
	if again := mustSetUp(t, cfg); again.Password != "" || again.APIKey != "" {
		t.Errorf("second set-up made %+v, want nothing new", again)
	}
	cfg.APIKey = keyNew
	third := mustSetUp(t, cfg)
	if third.Password != "" || third.APIKey == "" || third.APIKey == first.APIKey {
		t.Errorf("third set-up made %+v, want one more key", third)
	}

	accounts := openAccounts(t, cfg.Store)
	for _, key := range []string{first.APIKey, third.APIKey} {
		user, scopes, err := accounts.Authenticate(t.Context(), key)
		if err != nil || !user.Admin || len(scopes) != 2 {
			t.Errorf("key opens %+v with %q, %v; want the administrator, reading and writing", user, scopes, err)
		}
	}
	if _, err := accounts.Verify(t.Context(), "admin", first.Password); err != nil {
		t.Errorf("log-in with the first password: %v", err)
	}
}

func TestSetUpMakesNoAdministratorWhereThereAreAccounts(t *testing.T) {
	t.Parallel()
	queue, _ := testenv.NATS(t)
	cfg := Config{Store: testenv.MariaDB(t), Queue: queue, Images: testenv.S3(t), AdminName: "admin", APIKey: keyFirst}
	store := openStore(t, cfg.Store)
	testenv.Owner(t, store)
	if made := mustSetUp(t, cfg); made.Password != "" || made.APIKey != "" {
		t.Errorf("set-up made %+v although there is an account", made)
	}
	cfg.APIKey = keyNew
	if _, err := setUp(t.Context(), cfg, testenv.Logger(t)); err == nil {
		t.Error("a key was made for an account that does not exist")
	}
}

func TestRandomPasswordIsTold(t *testing.T) {
	t.Parallel()
	queue, _ := testenv.NATS(t)
	cfg := Config{Store: testenv.MariaDB(t), Queue: queue, Images: testenv.S3(t), AdminName: "admin", APIKey: keyFirst}
	made := mustSetUp(t, cfg)
	if _, err := openAccounts(t, cfg.Store).Verify(t.Context(), made.Administrator, made.Password); err != nil {
		t.Errorf("log-in with the printed password %q: %v", made.Password, err)
	}
}

func mustSetUp(t *testing.T, cfg Config) Made {
	t.Helper()
	made, err := setUp(t.Context(), cfg, testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func openStore(t *testing.T, cfg jobstore.Config) *jobstore.Store {
	t.Helper()
	store, err := jobstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func openAccounts(t *testing.T, cfg jobstore.Config) *account.Accounts {
	t.Helper()
	fast := cache.Open(testenv.Redis(t))
	t.Cleanup(func() { _ = fast.Close() })
	return account.New(openStore(t, cfg), fast, account.Config{})
}
