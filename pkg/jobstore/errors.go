package jobstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/go-sql-driver/mysql"
)

// The errors that callers tell apart.
var (
	// ErrNotFound means that there is no such row, or only its tombstone.
	ErrNotFound = errors.New("not found")
	// ErrUsernameTaken means that the name belongs to another account.
	ErrUsernameTaken = errors.New("username is taken")
	// ErrLastAdministrator means that nobody else could let anybody in.
	ErrLastAdministrator = errors.New("no other administrator is left")
	// ErrUnavailable means that MySQL could not be reached, did not answer in time or
	// could not take a write just now. Whether the statement took effect is unknown.
	ErrUnavailable = errors.New("mysql is unavailable")
)

const (
	errDuplicate      = 1062
	errLockWait       = 1205
	errDeadlock       = 1213
	errTooManyConns   = 1040
	errShutdown       = 1053
	errAborted        = 1152
	errUserConns      = 1203
	errResourceLimit  = 1226
	errReadOnlyOption = 1290
	errInterrupted    = 1317
	errReadOnlyTx     = 1792
	errReadOnlyMode   = 1836
	errKilled         = 1927 // MariaDB's word for a connection killed under a statement
	errTimedOut       = 1969 // MariaDB's word for a statement that took longer than it may
	errTimedOutMySQL  = 3024
	errServerGone     = 2006 // the last two are a client's; a proxy passes them on
	errServerLost     = 2013
)

// classify marks err with ErrUnavailable where the fault is not the statement's.
func classify(err error) error {
	if err == nil || !unavailable(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func unavailable(err error) bool {
	// A caller that went away says nothing about the server; a deadline that ran
	// out while the server kept silent does, and is a net.Error too.
	if errors.Is(err, context.Canceled) {
		return false
	}
	if number := errorNumber(err); number != 0 {
		return slices.Contains([]uint16{
			errLockWait, errDeadlock, errTooManyConns, errShutdown, errAborted, errUserConns, errResourceLimit,
			errReadOnlyOption, errInterrupted, errReadOnlyTx, errReadOnlyMode, errKilled, errTimedOut, errTimedOutMySQL, errServerGone, errServerLost,
		}, number)
	}
	var network net.Error
	return errors.As(err, &network) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// lostLock says that the server rolled the statement back for another's sake.
func lostLock(err error) bool {
	number := errorNumber(err)
	return number == errDeadlock || number == errLockWait
}

// errorNumber is the server's number of an error, 0 if it is not the server's.
func errorNumber(err error) uint16 {
	var server *mysql.MySQLError
	if errors.As(err, &server) {
		return server.Number
	}
	return 0
}
