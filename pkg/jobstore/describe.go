package jobstore

import (
	"context"
	"fmt"
	"time"
)

// Server is what MySQL says of itself.
type Server struct {
	Version            string
	Connections, Limit int
	Bytes              int64 // of our tables and their indexes, as the server guesses
	Photos             int   // rows, as the server guesses: a count would read them all
	Migration          int   // the newest that was applied

	FlushLog, SyncBinlog int           // innodb_flush_log_at_trx_commit, sync_binlog
	Binlog               bool          // there is one
	Clock                time.Duration // that its clock is ahead of ours
}

// Describe asks MySQL what it is and how full.
func (s *Store) Describe(ctx context.Context) (d Server, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT VERSION(), @@max_connections, @@GLOBAL.innodb_flush_log_at_trx_commit, @@GLOBAL.sync_binlog, @@GLOBAL.log_bin`).
		Scan(&d.Version, &d.Limit, &d.FlushLog, &d.SyncBinlog, &d.Binlog)
	if err == nil {
		d.Clock, err = s.clock(ctx)
	}
	if err == nil {
		var name string
		err = s.db.QueryRowContext(ctx, `SHOW GLOBAL STATUS LIKE 'Threads_connected'`).Scan(&name, &d.Connections)
	}
	if err == nil {
		err = s.db.QueryRowContext(ctx, `
			SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS SIGNED), CAST(COALESCE(SUM(IF(table_name = 'photos', table_rows, 0)), 0) AS SIGNED)
			FROM information_schema.tables WHERE table_schema = DATABASE()`).Scan(&d.Bytes, &d.Photos)
	}
	if err == nil {
		err = s.db.QueryRowContext(ctx, `SELECT CAST(COALESCE(MAX(version_id), 0) AS SIGNED) FROM goose_db_version WHERE is_applied = TRUE`).Scan(&d.Migration)
	}
	if err != nil {
		return Server{}, fmt.Errorf("describing mysql: %w", classify(err))
	}
	return d, nil
}

// clock asks by how much MySQL's clock is ahead of ours, taking it that the question
// takes as long as the answer.
func (s *Store) clock(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	var ahead micros
	err := s.db.QueryRowContext(ctx, `SELECT TIMESTAMPDIFF(MICROSECOND, ?, UTC_TIMESTAMP(6))`, began.UTC()).Scan(&ahead)
	return ahead.duration() - time.Since(began)/2, err
}
