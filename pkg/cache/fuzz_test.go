package cache

import (
	"bytes"
	"testing"
)

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte(tombstone))
	f.Add([]byte(entryVersion + " 01890f3e-7b1a-7c00-8000-000000000001\n{}\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, ok := parseEntry(data)
		if ok && (!bytes.HasPrefix(data, []byte(entryVersion+" ")) || bytes.ContainsRune(e.answer, '\n')) {
			t.Errorf("%q was read as %+v", data, e)
		}
	})
}
