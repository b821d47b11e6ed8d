package house_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "maskfleet"

// pkg is what the Go tool says of a package of ours. Paths of ours are relative to
// the module: "pkg/job".
type pkg struct {
	Path    string `json:"ImportPath"`
	Name    string
	Doc     string
	Imports []string // directly, without those of its tests
	Deps    []string // all, directly and indirectly
}

func (p pkg) program() bool { return p.Name == "main" }

// listPackages asks the Go tool, which reads the build tags and go.mod as a build
// does. It also opens go.mod itself: a test's result is kept by the Go tool until a
// file changes that the test has opened, and what a child reads does not count.
func listPackages(t *testing.T) []pkg {
	t.Helper()
	root := repositoryRoot(t)
	if _, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Name,Doc,Imports,Deps", "./...")
	list.Dir = root
	var complaint bytes.Buffer
	list.Stderr = &complaint
	output, err := list.Output()
	if err != nil {
		t.Fatalf("listing the packages: %v\n%s", err, &complaint)
	}
	var packages []pkg
	for in := json.NewDecoder(bytes.NewReader(output)); ; {
		var p pkg
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("reading what go list printed: %v", err)
		}
		p.Path = ours(p.Path)
		for _, paths := range [][]string{p.Imports, p.Deps} {
			for i := range paths {
				paths[i] = ours(paths[i])
			}
		}
		packages = append(packages, p)
	}
	if len(packages) < 20 {
		t.Fatalf("found only %d packages", len(packages))
	}
	return packages
}

// ours leaves the module's own name out of a path.
func ours(path string) string { return strings.TrimPrefix(path, module+"/") }

// isOurs tells our packages from others by their first element.
func isOurs(path string) bool {
	return slices.ContainsFunc(rooms(), func(room string) bool { return within(path, room) })
}

func rooms() []string {
	return append(services(), "pkg", "deployments")
}

func services() []string { return []string{"ingest", "inference-worker", "manager", "scaler"} }

// within says whether path is the folder or lies below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func withinAny(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return within(path, folder) })
}

func repositoryRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// goFiles gives the content of every Go file of the repository by its path, those
// of the modules within it too.
func goFiles(t *testing.T) map[string][]byte {
	t.Helper()
	root := repositoryRoot(t)
	files := make(map[string][]byte)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || strings.HasPrefix(entry.Name(), "_") || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
