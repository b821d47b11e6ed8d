package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

// The errors of a log-in. An unknown or ended session or API key is
// jobstore.ErrNotFound.
var (
	// ErrWrongCredentials means an unknown username or a wrong password; which of
	// them is not told.
	ErrWrongCredentials = errors.New("wrong username or password")
	// ErrDisabled means that the credentials are right and the account is closed.
	ErrDisabled = errors.New("account is disabled")
)

// Ended says of an error of Session or Authenticate that the session or key is good
// for nothing any more. Any other error says nothing about it.
func Ended(err error) bool {
	return errors.Is(err, jobstore.ErrNotFound) || errors.Is(err, ErrDisabled)
}

// The roles of an account. All but RoleUser may enter the manager.
const (
	RoleUser          = "user"
	RoleViewer        = "viewer"
	RoleOperator      = "operator"
	RoleAdministrator = "administrator"
)

// Origin is how an account came to be. It decides how long a password must be.
type Origin string

// The origins.
const (
	// ByAPI is POST /api/register, there for test rigs that bring short passwords
	// of their own; it is switched off where it matters.
	ByAPI Origin = "api"
	// ByAdministrator is everywhere else: somebody chose to let a person in.
	ByAdministrator Origin = "administrator"
)

// Config has the settings of log-ins; a zero field has its default.
type Config struct {
	// SessionTTL is how long a session lasts, used or not.
	SessionTTL time.Duration `env:"SESSION_TTL" envDefault:"12h"`
	// CredentialsTTL is how long a verified password need not be hashed again.
	CredentialsTTL time.Duration `env:"CREDENTIALS_TTL" envDefault:"60s"`
}

const (
	defaultSessionTTL     = 12 * time.Hour
	defaultCredentialsTTL = time.Minute
)

// sessionStore keeps sessions and may lose them; tokens are hidden in it.
type sessionStore interface {
	PutSession(ctx context.Context, userID uuid.UUID, token string, data []byte, ttl time.Duration) error
	Session(ctx context.Context, token string) ([]byte, bool, error)
	DropSession(ctx context.Context, token string) error
	DropUserSessions(ctx context.Context, userID uuid.UUID) error
}

// Accounts is safe for concurrent use.
type Accounts struct {
	store      *jobstore.Store
	sessions   sessionStore
	sessionTTL time.Duration
	hashing    chan struct{} // holds a token for each hash being computed
	verified   *verified
	seen       presence
}

// New makes the accounts of a store; sessions is pkg/cache's.
func New(store *jobstore.Store, sessions sessionStore, c Config) *Accounts {
	if c.SessionTTL <= 0 {
		c.SessionTTL = defaultSessionTTL
	}
	if c.CredentialsTTL <= 0 {
		c.CredentialsTTL = defaultCredentialsTTL
	}
	return &Accounts{
		store: store, sessions: sessions, sessionTTL: c.SessionTTL,
		hashing:  make(chan struct{}, hashesAtOnce),
		verified: newVerified(c.CredentialsTTL),
		seen:     presence{noted: map[uuid.UUID]time.Time{}},
	}
}

// Register makes an account with RoleUser. The error is jobstore.ErrUsernameTaken,
// an ErrInvalid whose text its owner may read, or the store's.
func (a *Accounts) Register(ctx context.Context, username, password string, o Origin) (jobstore.User, error) {
	return a.create(ctx, jobstore.User{Username: username, Role: RoleUser, APIRegistered: o == ByAPI}, password, o)
}

// RegisterAdministrator makes an account that may do everything.
func (a *Accounts) RegisterAdministrator(ctx context.Context, username, password string) (jobstore.User, error) {
	return a.create(ctx, jobstore.User{Username: username, Role: RoleAdministrator, Admin: true}, password, ByAdministrator)
}

func (a *Accounts) create(ctx context.Context, u jobstore.User, password string, o Origin) (jobstore.User, error) {
	err := errors.Join(ValidateUsername(u.Username), ValidatePassword(password, o))
	if err != nil {
		return jobstore.User{}, fmt.Errorf("registering an account: %w", err)
	}
	if u.ID, err = uuid.NewV7(); err != nil {
		return jobstore.User{}, fmt.Errorf("registering an account: %w", err)
	}
	if u.PasswordHash, err = a.hashPassword(ctx, password); err != nil {
		return jobstore.User{}, fmt.Errorf("registering an account: %w", err)
	}
	u.CreatedAt = time.Now().UTC().Truncate(time.Microsecond)
	if err := a.store.CreateUser(ctx, u); err != nil {
		return jobstore.User{}, fmt.Errorf("registering an account: %w", err)
	}
	return u, nil
}

// SetPassword gives an account a new password, which ends all its sessions, but not
// its API keys.
func (a *Accounts) SetPassword(ctx context.Context, userID uuid.UUID, password string) error {
	if err := ValidatePassword(password, ByAdministrator); err != nil {
		return err
	}
	hash, err := a.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	if err := a.store.SetPasswordHash(ctx, userID, hash); err != nil {
		return err
	}
	a.dropSessions(ctx, userID)
	return nil
}

// Create makes an account as an administrator wants it, with a password or, with an
// empty one, such that only an invitation lets somebody in. The error is Register's.
func (a *Accounts) Create(ctx context.Context, username, email, role, password string) (jobstore.User, error) {
	if password == "" {
		password = NewPassword() // told to nobody
	}
	u := jobstore.User{Username: username, Email: email, Role: role, Admin: role == RoleAdministrator}
	return a.create(ctx, u, password, ByAdministrator)
}

// Roles lists the roles, the one that may least first.
func Roles() []string { return []string{RoleUser, RoleViewer, RoleOperator, RoleAdministrator} }

// NewPassword makes a password nobody can guess, for a first administrator.
func NewPassword() string { return rand.Text() }
