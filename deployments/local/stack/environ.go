package stack

import (
	"maps"
	"os"
	"slices"
)

// environ is what a part sees: its settings and the few names that any program
// needs. A developer's own AWS_PROFILE or MYSQL_PASSWORD must not reach it.
func environ(settings map[string]string) []string {
	env := make(map[string]string)
	for _, name := range []string{"PATH", "HOME", "USER", "LANG", "TMPDIR", "TZ", "GORACE", "GODEBUG", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env[name] = value
		}
	}
	maps.Copy(env, settings)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		lines = append(lines, name+"="+env[name])
	}
	return lines
}
