package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// lockTries is how often a statement or transaction is tried that loses to a
// deadlock or waits too long for a lock.
const lockTries = 5

// Store is a pool of connections to MySQL. It is safe for concurrent use.
type Store struct {
	db     *sql.DB
	outbox outbox
}

// Open connects and proves it with a ping; a server that is away is an error, not
// something to wait for. It expects the tables that Migrate makes.
func Open(ctx context.Context, c Config) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("opening mysql: %w", err)
	}
	db, err := open(c.driver(), c.MaxConns, exchangeTimeout)
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, outbox: newOutbox()}
	if err := s.Ping(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Close ends every connection; statements still under way fail.
func (s *Store) Close() error { return s.db.Close() }

// Ping says whether MySQL answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("pinging mysql: %w", classify(err))
	}
	return nil
}

// exec runs one statement by itself and gives the number of rows its WHERE found.
func (s *Store) exec(ctx context.Context, statement string, args ...any) (found int64, err error) {
	err = retryLocks(ctx, func() error {
		result, err := s.db.ExecContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		found, err = result.RowsAffected()
		return err
	})
	return found, classify(err)
}

// inTx runs do in a transaction, from the start again if it loses to a lock: do
// must not change anything outside of it but what it sets anew each time.
func (s *Store) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	err := retryLocks(ctx, func() error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			_ = tx.Rollback() // err says more
			return err
		}
		return tx.Commit()
	})
	return classify(err)
}

func retryLocks(ctx context.Context, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if !lostLock(err) || try == lockTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(try) * rand.N(10*time.Millisecond)):
		}
	}
}
