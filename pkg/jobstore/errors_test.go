package jobstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/go-sql-driver/mysql"
)

func TestClassifyMarksOnlyTheServersTrouble(t *testing.T) {
	t.Parallel()
	numbered := func(n uint16) error { return fmt.Errorf("doing it: %w", &mysql.MySQLError{Number: n}) }
	cases := []struct {
		name        string
		err         error
		unavailable bool
	}{
		{"nothing", nil, false},
		{"no row", sql.ErrNoRows, false},
		{"bad connection", driver.ErrBadConn, true},
		{"connection lost under a statement", mysql.ErrInvalidConn, true},
		{"connection refused", &net.OpError{Op: "dial", Err: errors.New("refused")}, true},
		{"connection closed in the handshake", io.EOF, true},
		{"connection cut within a packet", io.ErrUnexpectedEOF, true},
		{"deadline of the caller", fmt.Errorf("waiting: %w", context.DeadlineExceeded), true},
		{"caller went away", context.Canceled, false},
		{"too many connections", numbered(1040), true},
		{"shutting down", numbered(1053), true},
		{"read only", numbered(1290), true},
		{"read only since a failover", numbered(1836), true},
		{"killed", numbered(1927), true},
		{"gone, says a proxy", numbered(2006), true},
		{"deadlock to the end", numbered(1213), true},
		{"lock wait to the end", numbered(1205), true},
		{"duplicate", numbered(1062), false},
		{"syntax", numbered(1064), false},
		{"too long for its column", numbered(1406), false},
		{"no such table", numbered(1146), false},
	}
	for _, c := range cases {
		err := classify(c.err)
		if errors.Is(err, ErrUnavailable) != c.unavailable {
			t.Errorf("%s: got %v, want unavailable %t", c.name, err, c.unavailable)
		}
		if !errors.Is(err, c.err) {
			t.Errorf("%s: the cause is lost in %v", c.name, err)
		}
	}
}

func TestRetryLocksEnds(t *testing.T) {
	t.Parallel()
	deadlock := &mysql.MySQLError{Number: errDeadlock}
	tries := 0
	err := retryLocks(t.Context(), func() error { tries++; return deadlock })
	if tries != lockTries || !errors.Is(err, deadlock) {
		t.Errorf("tried %d times, %v; want %d and the deadlock", tries, err, lockTries)
	}
	tries = 0
	if err := retryLocks(t.Context(), func() error { tries++; return sql.ErrNoRows }); tries != 1 || !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("another error was tried %d times, %v", tries, err)
	}
}
