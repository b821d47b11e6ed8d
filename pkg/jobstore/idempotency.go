package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ErrRequestRunning means that a request of the same key is being answered.
var ErrRequestRunning = errors.New("the request is being answered")

// RequestKey names a request that its client may repeat.
type RequestKey struct {
	OwnerID uuid.UUID
	Hash    [32]byte // of the address and the client's key
	// About is the photo, batch or webhook in the address, with which the answer goes;
	// zero: what the request makes.
	About uuid.UUID
}

// about is what the answer tells of, for a request that makes id.
func (k RequestKey) about(id uuid.UUID) []byte {
	if k.About != (uuid.UUID{}) {
		return k.About[:]
	}
	return id[:]
}

// KeptRequest is what is known of a request from earlier tries.
type KeptRequest struct {
	ID          uuid.UUID // of what the request makes, the same at every try
	Again       bool      // an earlier try may have made it
	Fingerprint []byte    // of what was asked; nil until a try got that far
	Answer      *KeptAnswer
}

// KeptAnswer is the answer to be given again.
type KeptAnswer struct {
	Status int
	Header map[string]string
	Body   []byte
}

// RequestLock says who answers a request and for how long nobody else may.
type RequestLock struct {
	Holder uuid.UUID
	For    time.Duration
}

// BeginRequest writes the row of a request before anything of it is done, with the id
// of what it is to make, or finds the row of an earlier try that is younger than
// keep. Where that has an answer it is given and nothing is locked; where it was left
// without one, the lock passes on. ErrRequestRunning: another holds the lock.
func (s *Store) BeginRequest(ctx context.Context, key RequestKey, id uuid.UUID, lock RequestLock, keep time.Duration) (KeptRequest, error) {
	for _, begin := range []func() (bool, error){
		func() (bool, error) { return s.insertRequest(ctx, key, id, lock) },
		func() (bool, error) { return s.forgetRequest(ctx, key, id, lock, keep) },
	} {
		if fresh, err := begin(); fresh || err != nil {
			return KeptRequest{ID: id}, requestError("beginning", err)
		}
	}
	taken, err := s.exec(ctx, `
		UPDATE idempotency_keys SET holder = ?, locked_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
		WHERE owner_id = ? AND key_hash = ? AND status IS NULL AND (locked_until IS NULL OR locked_until <= UTC_TIMESTAMP(6))`,
		lock.Holder[:], lock.For.Microseconds(), key.OwnerID[:], key.Hash[:])
	if err != nil {
		return KeptRequest{}, requestError("resuming", err)
	}
	kept, err := s.keptRequest(ctx, key)
	if err == nil && kept.Answer == nil && taken == 0 {
		err = ErrRequestRunning
	}
	return kept, requestError("finding", err)
}

func (s *Store) insertRequest(ctx context.Context, key RequestKey, id uuid.UUID, lock RequestLock) (bool, error) {
	_, err := s.exec(ctx, `
		INSERT INTO idempotency_keys (owner_id, key_hash, id, about, holder, locked_until, created_at)
		VALUES (?, ?, ?, ?, ?, UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, UTC_TIMESTAMP(6))`,
		key.OwnerID[:], key.Hash[:], id[:], key.about(id), lock.Holder[:], lock.For.Microseconds())
	if errorNumber(err) == errDuplicate {
		return false, nil
	}
	return err == nil, err
}

// forgetRequest begins anew on the row of a request that is older than keep.
func (s *Store) forgetRequest(ctx context.Context, key RequestKey, id uuid.UUID, lock RequestLock, keep time.Duration) (bool, error) {
	rows, err := s.exec(ctx, `
		UPDATE idempotency_keys SET id = ?, about = ?, holder = ?, locked_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND,
			fingerprint = NULL, status = NULL, header = NULL, body = NULL, created_at = UTC_TIMESTAMP(6)
		WHERE owner_id = ? AND key_hash = ? AND created_at <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND
			AND (locked_until IS NULL OR locked_until <= UTC_TIMESTAMP(6))`,
		id[:], key.about(id), lock.Holder[:], lock.For.Microseconds(), key.OwnerID[:], key.Hash[:], keep.Microseconds())
	return rows > 0, err
}

func (s *Store) keptRequest(ctx context.Context, key RequestKey) (KeptRequest, error) {
	kept := KeptRequest{Again: true}
	var status sql.NullInt32
	var answer KeptAnswer
	err := s.db.QueryRowContext(ctx, `
		SELECT id, fingerprint, status, header, body FROM idempotency_keys WHERE owner_id = ? AND key_hash = ?`,
		key.OwnerID[:], key.Hash[:]).Scan(&kept.ID, &kept.Fingerprint, &status, mapColumn{&answer.Header}, &answer.Body)
	if errors.Is(err, sql.ErrNoRows) { // swept in this moment: the next try begins anew
		return KeptRequest{}, ErrRequestRunning
	}
	if err != nil {
		return KeptRequest{}, classify(err)
	}
	if status.Valid {
		answer.Status = int(status.Int32)
		kept.Answer = &answer
	}
	return kept, nil
}

// AgreeOnRequest notes what was asked, before anything of it is done; false means
// that the lock is lost and nothing must be done.
func (s *Store) AgreeOnRequest(ctx context.Context, key RequestKey, lock RequestLock, fingerprint [32]byte) (bool, error) {
	return s.whileAnswering(ctx, key, lock, `fingerprint = ?, locked_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND`,
		fingerprint[:], lock.For.Microseconds())
}

// KeepRequest prolongs the lock; false means that it is lost.
func (s *Store) KeepRequest(ctx context.Context, key RequestKey, lock RequestLock) (bool, error) {
	return s.whileAnswering(ctx, key, lock, `locked_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND`, lock.For.Microseconds())
}

// AnswerRequest keeps the answer and gives the lock back.
func (s *Store) AnswerRequest(ctx context.Context, key RequestKey, lock RequestLock, a KeptAnswer) (bool, error) {
	header, err := encodeMap(a.Header)
	if err != nil {
		return false, requestError("answering", err)
	}
	return s.whileAnswering(ctx, key, lock, `status = ?, header = ?, body = ?, locked_until = NULL`, a.Status, header, a.Body)
}

// LeaveRequest gives the lock back without an answer: the next try goes on.
func (s *Store) LeaveRequest(ctx context.Context, key RequestKey, lock RequestLock) (bool, error) {
	return s.whileAnswering(ctx, key, lock, `locked_until = NULL`)
}

// whileAnswering changes the row of who holds the lock. A lock that is over but that
// nobody took is held.
func (s *Store) whileAnswering(ctx context.Context, key RequestKey, lock RequestLock, set string, args ...any) (bool, error) {
	rows, err := s.exec(ctx, `UPDATE idempotency_keys SET `+set+` WHERE owner_id = ? AND key_hash = ? AND holder = ? AND status IS NULL`,
		append(args, key.OwnerID[:], key.Hash[:], lock.Holder[:])...)
	return rows > 0, requestError("answering", err)
}

// SweepRequests forgets requests that are older than keep, at most limit of them, and
// says how many.
func (s *Store) SweepRequests(ctx context.Context, keep time.Duration, limit int) (int, error) {
	rows, err := s.exec(ctx, `
		DELETE FROM idempotency_keys WHERE created_at <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND
			AND (locked_until IS NULL OR locked_until <= UTC_TIMESTAMP(6)) LIMIT ?`, keep.Microseconds(), limit)
	return int(rows), requestError("forgetting", err)
}

// forgetAnswers deletes the rows of requests about what is deleted, whose answers must
// not outlive it; one that is just being answered finds no row to keep its answer in.
func (s *Store) forgetAnswers(ctx context.Context, about ...uuid.UUID) error {
	if len(about) == 0 {
		return nil
	}
	_, err := s.exec(ctx, `DELETE FROM idempotency_keys WHERE about IN (`+list(`?`, len(about))+`)`, idArgs(about)...)
	return requestError("forgetting", err)
}

func requestError(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s a request that may be repeated: %w", doing, err)
}
