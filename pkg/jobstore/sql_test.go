package jobstore

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// banned are constructs that only one of MySQL 8 and MariaDB 10.11 understands, or
// that they understand differently, each with an example that must be noticed.
func banned() []struct{ why, pattern, example string } {
	return []struct{ why, pattern, example string }{
		{"MariaDB only", `\bRETURNING\b`, "DELETE FROM photos RETURNING id"},
		{"MariaDB only", `\bCREATE\s+OR\s+REPLACE\s+TABLE\b`, "CREATE OR REPLACE TABLE t"},
		{"MariaDB only", `\b(ADD|DROP)\s+(COLUMN|KEY|INDEX|CONSTRAINT)\s+IF\b`, "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT"},
		{"MariaDB only", `\bSEQUENCE\b`, "CREATE SEQUENCE s"},
		{"MariaDB only", `\b(INET6|UUID)\s+(NOT\s+)?NULL\b`, "id UUID NOT NULL"},
		{"MariaDB's own collation", `uca1400`, "COLLATE utf8mb4_uca1400_ai_ci"},
		{"MySQL 8's own collation", `utf8mb4_0900`, "COLLATE utf8mb4_0900_ai_ci"},
		{"MySQL 8 only", `->`, "SELECT metadata->>'$.gate'"},
		{"MySQL 8 only", `\bAS\s+new\b`, "INSERT INTO t VALUES (1) AS new ON DUPLICATE KEY UPDATE a = new.a"},
		{"MySQL 8 only", `\b(KEY|INDEX)\s+\w*\s*\(\s*\(`, "KEY k ((LOWER(username)))"},
		{"MySQL 8 only", `\b(LATERAL|REGEXP_LIKE|UUID_TO_BIN|BIN_TO_UUID|JSON_ARRAYAGG|MEMBER\s+OF)\b`, "SELECT UUID_TO_BIN(?)"},
		{"MySQL 8 only", `@@(SESSION\.)?transaction_isolation`, "SELECT @@transaction_isolation"},
		{"MySQL 8 only", `\bEXPLAIN\s+ANALYZE\b`, "EXPLAIN ANALYZE SELECT 1"},
		{"MySQL 8 only", `\bFOR\s+SHARE\b`, "SELECT 1 FOR SHARE"},
		{"MySQL 8 only", `\bINVISIBLE\b`, "KEY k (a) INVISIBLE"},
		{"the clock of the session's zone", `\b(NOW|CURRENT_TIMESTAMP|SYSDATE|CURDATE|LOCALTIME)\b`, "SET run_at = NOW(6)"},
		{"seconds where the columns have microseconds", `\bUTC_TIMESTAMP\((\)|[0-5]\))`, "SET run_at = UTC_TIMESTAMP()"},
	}
}

// changesPhotos are the statements that may stand in transitions.go alone.
const changesPhotos = `(?i)\b(UPDATE\s+photos|INTO\s+photos|DELETE\s+FROM\s+photos)\b`

func TestSQLIsThatOfBothServers(t *testing.T) {
	t.Parallel()
	statements := allSQL(t)
	if len(statements) < 40 {
		t.Fatalf("found only %d statements: the search is broken", len(statements))
	}
	for _, b := range banned() {
		pattern := regexp.MustCompile(`(?i)` + b.pattern)
		if !pattern.MatchString(b.example) {
			t.Errorf("%s does not notice %q", b.pattern, b.example)
		}
		for _, s := range statements {
			if found := pattern.FindString(s.text); found != "" {
				t.Errorf("%s: %q is %s", s.where, found, b.why)
			}
		}
	}
}

func TestPhotosAreChangedInOneFile(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(changesPhotos)
	changes := 0
	for _, s := range allSQL(t) {
		switch {
		case !pattern.MatchString(s.text):
		case strings.HasPrefix(s.where, "transitions"):
			changes++
		default:
			t.Errorf("%s changes photos outside of transitions.go", s.where)
		}
	}
	if changes < 18 { // 16 lines of the table, Accept and Remove
		t.Errorf("found only %d statements in transitions.go: the search is broken", changes)
	}
}

type statement struct{ where, text string }

// allSQL gives the string literals of the package that are SQL, and its migrations.
func allSQL(t *testing.T) (all []statement) {
	t.Helper()
	looksLikeSQL := regexp.MustCompile(`\b(SELECT|INSERT|UPDATE|DELETE|SET|WHERE|FROM|AND|DO|users\.|api_keys\.|ORDER BY)\b`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				if err == nil && looksLikeSQL.MatchString(text) {
					all = append(all, statement{fmt.Sprintf("%s:%d", name, set.Position(literal.Pos()).Line), text})
				}
			}
			return true
		})
	}
	return append(all, migrationSQL(t)...)
}

func migrationSQL(t *testing.T) (all []statement) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("migrations"), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join("migrations", path))
		all = append(all, statement{path, string(text)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
