package aws_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// page is docs/aws.md.
type page string

// exchange is one command of the page and what it says is answered.
type exchange struct {
	typed, answer string
}

func readPage(t *testing.T) page {
	t.Helper()
	text, err := os.ReadFile("../../../docs/aws.md")
	if err != nil {
		t.Fatal(err)
	}
	return page(text)
}

const indent = "    " // of what is typed and printed

// after gives the indented lines behind a line.
func (p page) after(t *testing.T, line string) string {
	t.Helper()
	_, rest, found := strings.Cut(string(p), "\n"+line+"\n\n")
	if !found {
		t.Fatalf("docs/aws.md has no line %q with an example behind it", line)
	}
	text, _, _ := strings.Cut(rest, "\n\n")
	return text
}

// commands gives those of a section, each with its answer.
func (p page) commands(t *testing.T, heading string) (all []exchange) {
	t.Helper()
	_, rest, found := strings.Cut(string(p), "\n"+heading+"\n")
	if !found {
		t.Fatalf("docs/aws.md has no section %q", heading)
	}
	section, _, _ := strings.Cut(rest, "\n## ")
	typing := false // the command goes on in the next line
	for line := range strings.Lines(section) {
		text, shown := strings.CutPrefix(strings.TrimSuffix(line, "\n"), indent)
		if !shown {
			continue
		}
		begun, prompt := strings.CutPrefix(text, "$ ")
		switch {
		case prompt:
			all = append(all, exchange{typed: begun})
			text = begun
		case len(all) == 0:
			t.Fatalf("docs/aws.md answers before anything is typed: %s", line)
		case typing:
			all[len(all)-1].typed += "\n" + text
		default:
			all[len(all)-1].answer += text + "\n"
			continue
		}
		typing = strings.HasSuffix(text, "\\")
	}
	if len(all) == 0 {
		t.Fatalf("docs/aws.md types nothing under %q", heading)
	}
	return all
}

var (
	theirs = regexp.MustCompile(`i-[0-9a-f]{17}|127\.[0-9]+\.[0-9]+\.[0-9]+`)
	space  = regexp.MustCompile(`\s+|-{2,}`) // the width of a column is that of what stands in it
)

// masked is an answer without what differs from one start to the next.
func masked(answer string) (lines []string) {
	for line := range strings.Lines(answer) {
		line = strings.TrimSpace(space.ReplaceAllString(theirs.ReplaceAllString(line, "…"), " "))
		if strings.Trim(line, "+ ") != "" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines) // of several the order is nobody's promise
	return lines
}
