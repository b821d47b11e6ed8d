package house_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameWhatExists: a page that sends its reader to a test or a file that was
// renamed is worse than none.
func TestDocsNameWhatExists(t *testing.T) {
	t.Parallel()
	root := repositoryRoot(t)
	var tests strings.Builder
	for name, text := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			tests.Write(text)
		}
	}
	namedTest := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
	namedFile := regexp.MustCompile("`((?:" + strings.Join(append(rooms(), "docs"), "|") + ")/[A-Za-z0-9_./-]+)`")
	link := regexp.MustCompile(`\]\(([^):#]+)(?:#[^)]*)?\)`)
	for page, text := range pages(t) {
		for _, found := range namedTest.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(tests.String(), "func "+found[1]+"(") {
				t.Errorf("%s names the test %s, which does not exist", page, found[1])
			}
		}
		for _, found := range namedFile.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, found[1])); err != nil {
				t.Errorf("%s names the file %s: %v", page, found[1], err)
			}
		}
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(page), found[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, found[1], err)
			}
		}
	}
}

// pages gives the text of every page for people by its path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	root := repositoryRoot(t)
	names := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		name, err := filepath.Rel(root, path)
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(text)
	}
	return all
}
