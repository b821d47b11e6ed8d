package house_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"maskfleet/pkg/job"
)

// TestArchitectureShowsTheRowProtocol holds the table in docs/architecture.md
// against the one in the code.
func TestArchitectureShowsTheRowProtocol(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(repositoryRoot(t), "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	if table := protocolTable(); !strings.Contains(string(text), table) {
		t.Errorf("docs/architecture.md does not show the row protocol as it is; paste this table:\n\n%s", table)
	}
}

func protocolTable() string {
	var table strings.Builder
	table.WriteString("| event | by | from | to | message | guard |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, line := range job.Table() {
		to := string(line.To)
		if to == "" {
			to = "as it was"
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s | %s | %s |\n", line.Event, line.By, states(line.From), to, line.Settle, line.GuardText)
	}
	return table.String()
}

func states(from []job.State) string {
	if len(from) == len(job.States()) {
		return "any"
	}
	var names []string
	for _, state := range from {
		names = append(names, string(state))
	}
	return strings.Join(names, ", ")
}
