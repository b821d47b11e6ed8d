package house_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSettingsAreDocumented: a setting that stands in no page is one that an operator
// finds when it is too late. Pages write `MYSQL_ADDRESS`, `_USER` for two of one family; a
// tail counts behind every beginning of the name before it.
func TestSettingsAreDocumented(t *testing.T) {
	t.Parallel()
	named := make(map[string]bool)
	name := regexp.MustCompile("`(_?[A-Z][A-Z0-9_]+)")
	for page, text := range pages(t) {
		if page == "CHANGELOG.md" {
			continue // where nobody looks a setting up
		}
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
	tag := regexp.MustCompile(`\benv:"([A-Z0-9_]+)`)
	settings := 0
	files := goFiles(t)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, found := range tag.FindAllSubmatch(files[file], -1) {
			settings++
			if setting := string(found[1]); !named[setting] {
				t.Errorf("%s reads %s, which no page names", file, setting)
			}
		}
	}
	if settings < 100 {
		t.Errorf("only %d settings were found", settings)
	}
}
