package webhook_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/webhook"
)

// indented gives the blocks of code on docs/webhooks.md.
func indented(t *testing.T) (blocks []string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "webhooks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(string(page), "\n\n    ") {
		var block strings.Builder
		for i, line := range strings.Split(part, "\n") {
			code, is := strings.CutPrefix(line, "    ")
			switch {
			case i == 0 || is:
				block.WriteString(code + "\n")
			case line == "":
				block.WriteString("\n")
			}
			if i > 0 && line != "" && !is {
				break
			}
		}
		blocks = append(blocks, block.String())
	}
	return blocks
}

// TestDocs: what the page tells people to copy is what is tested.
func TestDocs(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(example), "// verify says")
	code, _, _ = strings.Cut(code, "func Example_receiver")
	code = "// verify says" + strings.TrimRight(code, "\n")
	page := strings.ReplaceAll(strings.Join(indented(t), "\n\n"), "\n\n\n", "\n\n")
	for line := range strings.SplitSeq(code, "\n") {
		if !strings.Contains(page, line) {
			t.Errorf("docs/webhooks.md has not the line %q of the example", line)
		}
	}
}

// TestShellExample runs the page's shell function on messages of ours.
func TestShellExample(t *testing.T) {
	t.Parallel()
	var script string
	for _, block := range indented(t) {
		if strings.HasPrefix(block, "verify() {") {
			script, _, _ = strings.Cut(block, "\n}\n")
			script += "\n}\n"
		}
	}
	if script == "" {
		t.Fatal("docs/webhooks.md has no shell function")
	}
	const body = "{\"type\":\"batch.completed\",\n\"data\":\"é %s \\\\\"}"
	old, young, stranger := webhook.NewSecret(), webhook.NewSecret(), webhook.NewSecret()
	now := time.Now()
	cases := []struct {
		name   string
		secret string
		at     time.Time
		body   string
		good   bool
	}{
		{"as it came", young, now, body, true},
		{"with the old secret", old, now, body, true},
		{"with another's", stranger, now, body, false},
		{"another body", young, now, body + " ", false},
		{"recorded long ago", young, now.Add(-6 * time.Minute), body, false},
	}
	for _, c := range cases {
		signatures, err := webhook.Sign([]string{young, old}, "0198f3c2", c.at, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", script+`verify "$@"`, "sh",
			c.secret, "0198f3c2", strconv.FormatInt(c.at.Unix(), 10), signatures)
		cmd.Stdin = strings.NewReader(c.body)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Run(); (err == nil) != c.good || said.Len() > 0 {
			t.Errorf("%s: %v %s", c.name, err, said.String())
		}
	}
}
