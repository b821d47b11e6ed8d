package jobstore

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// timeColumn reads a DATETIME that may be NULL; NULL is the zero time.
type timeColumn struct{ to *time.Time }

func (c timeColumn) Scan(value any) error {
	var t sql.NullTime
	if err := t.Scan(value); err != nil {
		return err
	}
	*c.to = t.Time
	return nil
}

// micros is a column in microseconds.
type micros int64

func (m micros) duration() time.Duration { return time.Duration(m) * time.Microsecond }

// mapColumn reads a JSON object of strings; NULL is no map.
type mapColumn struct{ to *map[string]string }

func (c mapColumn) Scan(value any) error { return decodeJSON(value, c.to) }

// listColumn reads a JSON array of strings.
type listColumn struct{ to *[]string }

func (c listColumn) Scan(value any) error { return decodeJSON(value, c.to) }

func decodeJSON[T any](value any, to *T) error {
	var none T
	*to = none
	switch text := value.(type) {
	case nil:
		return nil
	case []byte:
		return json.Unmarshal(text, to)
	case string:
		return json.Unmarshal([]byte(text), to)
	default:
		return fmt.Errorf("reading JSON from a %T", value)
	}
}

// encodeMap gives a JSON column's value: nil for an empty map.
func encodeMap(m map[string]string) (any, error) {
	if len(m) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(m)
	return string(text), err
}

// collect reads every row and closes rows, whose query may have given err.
func collect[T any](rows *sql.Rows, err error, scan func(row) (T, error)) (all []T, _ error) {
	if err != nil {
		return nil, classify(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, classify(err)
		}
		all = append(all, one)
	}
	return all, classify(rows.Err())
}

// nullID reads an id that may be NULL.
type nullID struct{ to **uuid.UUID }

func (c nullID) Scan(value any) error {
	var id uuid.NullUUID
	if err := id.Scan(value); err != nil {
		return err
	}
	*c.to = nil
	if id.Valid {
		*c.to = &id.UUID
	}
	return nil
}

// idColumn reads an id; NULL is the zero id.
type idColumn struct{ to *uuid.UUID }

func (c idColumn) Scan(value any) error {
	*c.to = uuid.UUID{}
	if value == nil {
		return nil
	}
	return c.to.Scan(value)
}

// idOrNull is the value of a column for the zero id's absence.
func idOrNull(id uuid.UUID) any {
	if id == (uuid.UUID{}) {
		return nil
	}
	return id[:]
}

// lineOrNull is the value of a column that counts from 1.
func lineOrNull(line int) any {
	if line == 0 {
		return nil
	}
	return line
}
