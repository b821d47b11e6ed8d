package house_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		opening := "Package " + p.Name + " "
		if p.program() {
			opening = "Command " + path.Base(p.Path) + " "
		}
		if !strings.HasPrefix(p.Doc, opening) {
			t.Errorf("the comment of %s begins %q, want %q: a reader asks first what a package gives and what it must never do", p.Path, p.Doc, opening)
		}
	}
}

// longFiles may be longer than others.
func longFiles() map[string]string {
	return map[string]string{
		"pkg/job/crashwalk_test.go": "one model and one walk, which are read together",
	}
}

func TestFilesHaveOneIdea(t *testing.T) {
	t.Parallel()
	const most = 500
	for name, text := range goFiles(t) {
		if lines := bytes.Count(text, []byte("\n")); lines > most && longFiles()[name] == "" {
			t.Errorf("%s has %d lines, want at most %d: a longer file holds more than one idea", name, lines, most)
		}
	}
}

func TestProgramsOfServicesAreSlivers(t *testing.T) {
	t.Parallel()
	const most = 40
	files := goFiles(t)
	for _, service := range services() {
		name := path.Join(service, "cmd", service, "main.go")
		if lines := bytes.Count(files[name], []byte("\n")); lines > most {
			t.Errorf("%s has %d lines, want at most %d: a service is a library that its tests can start, its program only reads the settings", name, lines, most)
		}
	}
}

// A privilege is a call that only some files may make.
type privilege struct {
	calls   []string
	holders []string // folders; programs always may
	why     string
}

func privileges() []privilege {
	return []privilege{
		{[]string{"os.Getenv", "os.LookupEnv", "os.Environ", "os.Setenv", "os.Unsetenv"}, []string{"deployments"}, "settings are read once, in main, and passed on: then a test can choose them"},
		{[]string{"os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln"}, nil, "it leaves deferred calls undone, and its caller no choice"},
		{[]string{"signal.Notify", "signal.NotifyContext", "signal.Ignore", "signal.Reset"}, []string{"pkg/lifecycle"}, "who handles signals decides how the whole process ends"},
		{[]string{"time.Sleep"}, []string{"pkg/testenv"}, "it cannot be ended by a context; wait for an event or a timer"},
		{[]string{"fmt.Print", "fmt.Printf", "fmt.Println", "log.Print", "log.Printf", "log.Println"}, nil, "a line without fields, level and trace cannot be found again"},
	}
}

func TestOnlyProgramsDecideForTheProcess(t *testing.T) {
	t.Parallel()
	for name, text := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("parsing: %v", err)
			continue
		}
		if initialises(file) {
			t.Errorf("%s has an init function: what happens before main can be neither configured nor tested", name)
		}
		if file.Name.Name == "main" {
			continue
		}
		calls := callsIn(file)
		for _, p := range privileges() {
			for _, call := range p.calls {
				if slices.Contains(calls, call) && !withinAny(name, p.holders) {
					t.Errorf("%s calls %s: %s", name, call, p.why)
				}
			}
		}
	}
}

func initialises(file *ast.File) bool {
	return slices.ContainsFunc(file.Decls, func(d ast.Decl) bool {
		function, ok := d.(*ast.FuncDecl)
		return ok && function.Recv == nil && function.Name.Name == "init"
	})
}

// callsIn lists what the file uses of the standard library's packages under their
// own names: "os.Exit".
func callsIn(file *ast.File) []string {
	var calls []string
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if from, ok := selector.X.(*ast.Ident); ok {
				calls = append(calls, from.Name+"."+selector.Sel.Name)
			}
		}
		return true
	})
	return calls
}

// Taskfile.yml runs the tests of these without the race detector.
func TestWhatPlaysTrafficStartsNoGoroutine(t *testing.T) {
	t.Parallel()
	looked := 0
	for name, text := range goFiles(t) {
		if folder := path.Dir(name); folder != "scaler/decide" && folder != "scaler/simulate" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		looked++
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, starts := n.(*ast.GoStmt); starts {
				t.Errorf("%s starts a goroutine: its tests must run with the race detector then", name)
			}
			return true
		})
		for _, imported := range file.Imports {
			if imported.Path.Value == `"sync"` {
				t.Errorf("%s imports sync: its tests must run with the race detector then", name)
			}
		}
	}
	if looked == 0 {
		t.Error("no file was looked at")
	}
}
