package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
)

// TestErrorCatalogueIsComplete holds docs/errors.md against the code: a heading for
// every code, none for anything else, and below each its cause and its cure.
func TestErrorCatalogueIsComplete(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(repositoryRoot(t), "docs", "errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	requests, photos, found := strings.Cut(string(text), "\n## Photos that ended without a result\n")
	if !found {
		t.Fatal("docs/errors.md has no part about photos")
	}
	photos, batches, found := strings.Cut(photos, "\n## Batches that failed as a whole\n")
	if !found {
		t.Fatal("docs/errors.md has no part about batches")
	}
	var ofBatches []string
	for _, code := range job.BatchCodes() {
		ofBatches = append(ofBatches, string(code))
	}
	checkEntries(t, "batches", batches, ofBatches)
	var ofPhotos []string
	for _, code := range job.Codes() {
		ofPhotos = append(ofPhotos, string(code))
	}
	checkEntries(t, "refused requests", requests, problem.Codes())
	checkEntries(t, "photos", photos, ofPhotos)
}

func checkEntries(t *testing.T, part, text string, codes []string) {
	t.Helper()
	heading := regexp.MustCompile("(?m)^### `([a-z_]+)`.*$")
	starts := heading.FindAllStringSubmatchIndex(text, -1)
	var described []string
	for i, at := range starts {
		code, end := text[at[2]:at[3]], len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		described = append(described, code)
		for _, wanted := range []string{"**Cause.** ", "**Cure.** "} {
			if !strings.Contains(text[at[1]:end], wanted) {
				t.Errorf("%s: the entry of %s has no %q", part, code, strings.TrimSpace(wanted))
			}
		}
	}
	for _, code := range codes {
		if !slices.Contains(described, code) {
			t.Errorf("%s: %s is not in docs/errors.md", part, code)
		}
	}
	for _, code := range described {
		if !slices.Contains(codes, code) {
			t.Errorf("%s: docs/errors.md describes %s, which no code gives", part, code)
		}
	}
}
