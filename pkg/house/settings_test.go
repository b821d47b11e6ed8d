package house_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSettingsAreDocumented: a setting that stands in no page is one that an operator
// finds when it is too late. Pages write `MYSQL_ADDRESS`, `_USER` for two of one family.
func TestSettingsAreDocumented(t *testing.T) {
	t.Parallel()
	named := make(map[string]bool)
	name := regexp.MustCompile("`(_?[A-Z][A-Z0-9_]+)")
	for _, text := range pages(t) {
		for line := range strings.Lines(text) {
			before := ""
			for _, found := range name.FindAllStringSubmatch(line, -1) {
				setting, isTail := strings.CutPrefix(found[1], "_")
				if !isTail {
					before = setting
					named[setting] = true
					continue
				}
				words := strings.Split(before, "_")
				for n := range words {
					named[strings.Join(append(slices.Clone(words[:n+1]), setting), "_")] = true
				}
			}
		}
	}
	tag := regexp.MustCompile("`env:\"([A-Z0-9_]+)")
	files := goFiles(t)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, found := range tag.FindAllSubmatch(files[file], -1) {
			if setting := string(found[1]); !named[setting] {
				t.Errorf("%s reads %s, which no page names", file, setting)
			}
		}
	}
}
