package account_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/account"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

const password = "correct horse battery"

func newAccounts(tb testing.TB) (*account.Accounts, *jobstore.Store) {
	tb.Helper()
	store := testenv.JobStore(tb)
	redis := cache.Open(testenv.Redis(tb))
	tb.Cleanup(func() { _ = redis.Close() })
	return account.New(store, redis, account.Config{}), store
}

func register(tb testing.TB, a *account.Accounts, username string) jobstore.User {
	tb.Helper()
	user, err := a.Register(tb.Context(), username, password, account.ByAdministrator)
	if err != nil {
		tb.Fatal(err)
	}
	return user
}

// disabled makes an account like another one, but closed.
func disabled(tb testing.TB, s *jobstore.Store, like jobstore.User, username string) jobstore.User {
	tb.Helper()
	like.ID, like.Username, like.Disabled = uuid.Must(uuid.NewV7()), username, true
	if err := s.CreateUser(tb.Context(), like); err != nil {
		tb.Fatal(err)
	}
	return like
}

func TestVerify(t *testing.T) {
	t.Parallel()
	a, store := newAccounts(t)
	user := register(t, a, "gate")
	disabled(t, store, user, "closed")
	cases := []struct {
		name, username, password string
		want                     error
	}{
		{"right", "gate", password, nil},
		{"right again, from memory", "gate", password, nil},
		{"another case", "Gate", password, nil},
		{"wrong password", "gate", password + "x", account.ErrWrongCredentials},
		{"no password", "gate", "", account.ErrWrongCredentials},
		{"unknown", "nobody", password, account.ErrWrongCredentials},
		{"the decoy's account", "nobody", "", account.ErrWrongCredentials},
		{"not text", "gate\xff", password, account.ErrWrongCredentials},
		{"a space the database ignores", "gate ", password, account.ErrWrongCredentials},
		{"disabled", "closed", password, account.ErrDisabled},
		{"disabled, wrong password", "closed", "x", account.ErrWrongCredentials},
	}
	for _, c := range cases {
		got, err := a.Verify(t.Context(), c.username, c.password)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if (got.ID == user.ID) != (c.want == nil) {
			t.Errorf("%s: got user %q", c.name, got.Username)
		}
	}
}

func TestNewPasswordCountsAtOnce(t *testing.T) {
	t.Parallel()
	a, _ := newAccounts(t)
	user := register(t, a, "gate")
	if _, err := a.Verify(t.Context(), "gate", password); err != nil {
		t.Fatal(err)
	}
	token, err := a.StartSession(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	const other = "another good password"
	if err := a.SetPassword(t.Context(), user.ID, "short"); !errors.Is(err, account.ErrInvalid) {
		t.Errorf("set a short password: %v", err)
	}
	if err := a.SetPassword(t.Context(), user.ID, other); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Verify(t.Context(), "gate", password); !errors.Is(err, account.ErrWrongCredentials) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := a.Verify(t.Context(), "gate", other); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if _, err := a.Session(t.Context(), token); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("the old session: %v", err)
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	a, store := newAccounts(t)
	rig, err := a.Register(t.Context(), "rig", "1", account.ByAPI)
	if err != nil || !rig.APIRegistered || rig.Admin || rig.Role != account.RoleUser {
		t.Errorf("account of a test rig: %+v, %v", rig, err)
	}
	if stored, err := store.FindUser(t.Context(), rig.ID); err != nil || stored != rig {
		t.Errorf("stored %+v, %v, want %+v", stored, err, rig)
	}
	admin, err := a.RegisterAdministrator(t.Context(), "admin", account.NewPassword())
	if err != nil || admin.APIRegistered || !admin.Admin || admin.Role != account.RoleAdministrator {
		t.Errorf("administrator: %+v, %v", admin, err)
	}
	if _, err := a.Register(t.Context(), "ADMIN", password, account.ByAPI); !errors.Is(err, jobstore.ErrUsernameTaken) {
		t.Errorf("the administrator's name in capitals: %v", err)
	}
	if _, err := a.Register(t.Context(), "person", "1", account.ByAdministrator); !errors.Is(err, account.ErrInvalid) {
		t.Errorf("a person's short password: %v", err)
	}
	for _, name := range []string{"", " a", "a ", "a\nb", "a\x00b", "a\u202eb", "a\xffb", strings.Repeat("ü", 101)} {
		if _, err := a.Register(t.Context(), name, password, account.ByAPI); !errors.Is(err, account.ErrInvalid) {
			t.Errorf("username %q: %v", name, err)
		}
	}
	if _, err := a.Register(t.Context(), strings.Repeat("ü", 100), strings.Repeat("ü", 256), account.ByAPI); err != nil {
		t.Errorf("the longest name and password: %v", err)
	}
}

func TestSession(t *testing.T) {
	t.Parallel()
	a, store := newAccounts(t)
	user := register(t, a, "gate")
	token, err := a.StartSession(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Session(t.Context(), token); err != nil || got != user {
		t.Errorf("got %+v, %v, want %+v", got, err, user)
	}
	if _, err := a.Session(t.Context(), token+"x"); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("a session that never was: %v", err)
	}
	closed, err := a.StartSession(t.Context(), disabled(t, store, user, "closed"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Session(t.Context(), closed); !errors.Is(err, account.ErrDisabled) {
		t.Errorf("session of a disabled account: %v", err)
	}
	for range 2 {
		if err := a.EndSession(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Session(t.Context(), token); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("an ended session: %v", err)
	}
}

func TestSessionWithoutRedis(t *testing.T) {
	t.Parallel()
	server := testenv.NewRedis(t)
	redis := cache.Open(server.Config())
	t.Cleanup(func() { _ = redis.Close() })
	a := account.New(testenv.JobStore(t), redis, account.Config{})
	user := register(t, a, "gate")
	token, err := a.StartSession(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	server.Empty(t)
	if _, err := a.Session(t.Context(), token); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("after Redis was emptied: %v", err)
	}
	server.Kill()
	if _, err := a.Session(t.Context(), token); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("while Redis is away: %v", err)
	}
	if _, err := a.Verify(t.Context(), "gate", password); err != nil {
		t.Errorf("a password needs no Redis: %v", err)
	}
}

func TestAPIKey(t *testing.T) {
	t.Parallel()
	a, store := newAccounts(t)
	user := register(t, a, "gate")
	plain, key, err := a.NewAPIKey(t.Context(), user, "gate 7", []string{account.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(plain, key.Prefix) || len(key.Prefix) > len(plain)/2 {
		t.Errorf("the prefix %q tells too little or too much of a key of %d", key.Prefix, len(plain))
	}
	got, scopes, err := a.Authenticate(t.Context(), plain)
	if err != nil || got != user || len(scopes) != 1 || scopes[0] != account.ScopeRead {
		t.Errorf("got %+v with %v, %v", got, scopes, err)
	}
	if keys, err := store.ListAPIKeys(t.Context(), user.ID); err != nil || len(keys) != 1 || keys[0].LastUsedAt.IsZero() {
		t.Errorf("its use was not noted: %+v, %v", keys, err)
	}
	if err := store.RevokeAPIKey(t.Context(), user.ID, key.ID); err != nil {
		t.Fatal(err)
	}
	for _, bearer := range []string{plain, "mf_nonsense", "", "Basic x"} {
		if _, _, err := a.Authenticate(t.Context(), bearer); !errors.Is(err, jobstore.ErrNotFound) {
			t.Errorf("with %q: %v", bearer, err)
		}
	}
	closed, _, err := a.NewAPIKey(t.Context(), disabled(t, store, user, "closed"), "key", []string{account.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Authenticate(t.Context(), closed); !errors.Is(err, account.ErrDisabled) {
		t.Errorf("key of a disabled account: %v", err)
	}
	for _, scopes := range [][]string{nil, {"admin"}, {account.ScopeRead, ""}} {
		if _, _, err := a.NewAPIKey(t.Context(), user, "key", scopes); !errors.Is(err, account.ErrInvalid) {
			t.Errorf("scopes %q: %v", scopes, err)
		}
	}
}

func TestVerifyAtOnce(t *testing.T) {
	t.Parallel()
	a, _ := newAccounts(t)
	register(t, a, "gate")
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if _, err := a.Verify(t.Context(), "gate", password); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestUnknownUserCostsTheSame compares the fastest of a few, for the machine may be
// busy with other things.
func TestUnknownUserCostsTheSame(t *testing.T) {
	a, _ := newAccounts(t)
	register(t, a, "gate")
	fastest := func(username string) time.Duration {
		best := time.Hour
		for range 5 {
			begin := time.Now()
			if _, err := a.Verify(t.Context(), username, "wrong"); !errors.Is(err, account.ErrWrongCredentials) {
				t.Fatal(err)
			}
			best = min(best, time.Since(begin))
		}
		return best
	}
	known, unknown := fastest("gate"), fastest("nobody")
	if unknown < known/3 || known < unknown/3 {
		t.Errorf("a known user takes %v, an unknown one %v", known, unknown)
	}
}

func BenchmarkVerify(b *testing.B) {
	a, _ := newAccounts(b)
	register(b, a, "gate")
	b.Run("from memory", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.Verify(b.Context(), "gate", password); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("wrong password", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.Verify(b.Context(), "gate", "wrong"); !errors.Is(err, account.ErrWrongCredentials) {
				b.Fatal(err)
			}
		}
	})
}
