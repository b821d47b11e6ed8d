package testenv

import (
	"database/sql"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"maskfleet/pkg/jobstore"
)

// ManyPhotos makes n photos out of the one that is there: most succeeded, some wait, some
// failed, over thirty days. The rows go in at once into an empty table whose keys nobody
// checks, which MariaDB sorts and builds as it builds an index: a million take a minute
// or two instead of an hour.
func ManyPhotos(tb testing.TB, c jobstore.Config, n int) {
	tb.Helper()
	run := past(tb, c)
	if n > manyForATest {
		// What a server that holds so many rows has; the tests' own has next to none.
		run(`SET GLOBAL innodb_buffer_pool_size = 1024 * 1024 * 1024`)
		run(`SET GLOBAL innodb_log_file_size = 512 * 1024 * 1024`)
		run(`SET GLOBAL innodb_flush_log_at_trx_commit = 0`)
	}
	run(`CREATE TABLE numbers (n INT NOT NULL PRIMARY KEY)`)
	run(`INSERT INTO numbers VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)`)
	for have := 10; have < n; have *= 10 {
		run(`INSERT INTO numbers SELECT a.n + ? * b.n FROM numbers a JOIN numbers b ON b.n BETWEEN 1 AND 9`, have)
	}
	run(`CREATE TABLE one AS SELECT * FROM photos LIMIT 1`)
	run(`SET unique_checks = 0, foreign_key_checks = 0`)
	run(`TRUNCATE TABLE photos`)
	run(`INSERT INTO photos (id, owner_id, lane, source, link, filename, content_type, bytes, width, height, sha256, trace_parent, created_at,
			state, publication, fence, attempts, slot_deaths, worker_id, run_at, touched_at, finished_at, failure_code, original_key, annotated_key, thumbnail_key, category, model_name, model_version)
		SELECT UNHEX(CONCAT(LPAD(HEX(? - n * ?), 12, '0'), '7000', '8000', LPAD(HEX(n), 12, '0'))), owner_id, ELT(1 + n % 2, 'batch', 'interactive'), source, link, filename, content_type, bytes, width, height, sha256, trace_parent, created_at,
			IF(n % 100 = 0, 'failed', IF(n % 100 < 5, 'queued', 'succeeded')), 1, 1, 1, 0, CONCAT('worker-', n % 50), run_at, touched_at,
			IF(n % 100 BETWEEN 1 AND 4, NULL, UTC_TIMESTAMP(6) - INTERVAL n SECOND), IF(n % 100 = 0, IF(n % 300 = 0, 'decoder_crashed', 'inference_timeout'), NULL),
			original_key, '', '', IF(n % 100 >= 5, 'some_masked', NULL), 'maskfleet', '3'
		FROM one JOIN numbers WHERE n < ?`, time.Now().UnixMilli(), (30*24*time.Hour).Milliseconds()/int64(n), n)
	run(`INSERT INTO photos SELECT * FROM one`)
	run(`ANALYZE TABLE photos`)
}

// manyForATest is how many rows the tests' own server holds as it is.
const manyForATest = 100_000

// past is a way to the tables past the store: one connection, whose settings stay.
func past(tb testing.TB, c jobstore.Config) func(statement string, args ...any) {
	tb.Helper()
	d := mysql.NewConfig()
	d.Net, d.Addr, d.User, d.Passwd, d.DBName = "tcp", c.Address, c.User, c.Password, c.Database
	d.InterpolateParams = true
	connector, err := mysql.NewConnector(d)
	if err != nil {
		tb.Fatal(err)
	}
	db := sql.OpenDB(connector)
	tb.Cleanup(func() { _ = db.Close() })
	only, err := db.Conn(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = only.Close() })
	return func(statement string, args ...any) {
		tb.Helper()
		if _, err := only.ExecContext(tb.Context(), statement, args...); err != nil {
			tb.Fatal(err)
		}
	}
}
