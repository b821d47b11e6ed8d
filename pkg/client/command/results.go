package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"maskfleet/pkg/client"
)

// The formats of results.
const (
	asTable  = "table"
	asCSV    = "csv"
	asNDJSON = "ndjson"
)

func addFormat(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVarP(into, "format", "f", asTable, "results as table, csv or ndjson")
	completes(cmd, "format", asTable, asCSV, asNDJSON)
}

func checkFormat(format string) error {
	if format != asTable && format != asCSV && format != asNDJSON {
		return fmt.Errorf("--format is %q, want table, csv or ndjson", format)
	}
	return nil
}

const longResults = `Prints the results of a batch, of a running one those that there are. They come
in any order; custom_id says which is which.

  table   for people
  csv     one line a photo, for spreadsheets
  ndjson  one JSON object a line, with every face and its box, as docs/api.md has it`

const exampleResults = `  maskfleet results 01a208b1-0cec-7038-9510-f029fa116918
  maskfleet results --format ndjson ID | jq -r 'select(.num_unmasked > 0).custom_id'
  maskfleet results --status failed ID`

func (a *app) resultsCommand() *cobra.Command {
	var format, status string
	cmd := &cobra.Command{
		Use: "results ID", Short: "Print the results of a batch",
		Long: longResults, Example: exampleResults,
		Args: func(cmd *cobra.Command, args []string) error {
			if status != "" && format == asCSV {
				return errors.New("--status goes with table and ndjson only")
			}
			return errors.Join(cobra.ExactArgs(1)(cmd, args), checkFormat(format))
		},
		ValidArgsFunction: a.completeBatch,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := a.client(longPatience)
			if err != nil {
				return err
			}
			b, err := c.Batch(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if err := a.printResults(cmd.Context(), c, b.ID, format, client.Status(status)); err != nil {
				return err
			}
			if !b.Status.Ended() {
				a.say("The batch is still running: %s of %s had ended.", thousands(b.Counts.Ended()), thousands(b.Counts.Total))
			}
			return nil
		},
	}
	addFormat(cmd, &format)
	cmd.Flags().StringVar(&status, "status", "", "only results with this status: succeeded, failed, cancelled or expired")
	completes(cmd, "status", "succeeded", "failed", "cancelled", "expired")
	return cmd
}

// printResults prints those with a status, or all of them.
func (a *app) printResults(ctx context.Context, c *client.Client, id, format string, status client.Status) error {
	switch format {
	case asCSV:
		return a.printCSV(ctx, c, id)
	case asNDJSON:
		return a.printLines(ctx, c, id, status)
	}
	return a.printTable(ctx, c, id, status)
}

func (a *app) printCSV(ctx context.Context, c *client.Client, id string) error {
	csv, err := c.ResultsCSV(ctx, id)
	if err != nil {
		return err
	}
	defer csv.Close()
	if _, err := io.Copy(a.Out, csv); err != nil {
		return fmt.Errorf("printing the results: %w", err)
	}
	return nil
}

// printLines prints what the server sent, with members that this command may not
// know.
func (a *app) printLines(ctx context.Context, c *client.Client, id string, status client.Status) error {
	for line, err := range c.ResultLines(ctx, id) {
		if err != nil {
			return err
		}
		if status != "" {
			var d client.Detection
			if err := json.Unmarshal(line, &d); err != nil {
				return fmt.Errorf("reading a result: %w", err)
			}
			if d.Status != status {
				continue
			}
		}
		if _, err := fmt.Fprintf(a.Out, "%s\n", line); err != nil {
			return fmt.Errorf("printing the results: %w", err)
		}
	}
	return nil
}

func (a *app) printTable(ctx context.Context, c *client.Client, id string, status client.Status) error {
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PHOTO\tSTATUS\tCATEGORY\tFACES\tMASKED\tUNMASKED\tMS\tWHY")
	for d, err := range c.Results(ctx, id) {
		if err != nil {
			return errors.Join(table.Flush(), err)
		}
		if status == "" || d.Status == status {
			fmt.Fprintln(table, row(d))
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the results: %w", err)
	}
	return nil
}

func row(d client.Detection) string {
	name := printable(d.CustomID)
	if d.Status != client.Succeeded {
		why := "-"
		if d.Error != nil {
			why = printable(fmt.Sprintf("%s (%s)", d.Error.Message, d.Error.Code))
		}
		return fmt.Sprintf("%s\t%s\t-\t-\t-\t-\t-\t%s", name, d.Status, why)
	}
	took := "-"
	if d.Timing != nil {
		took = fmt.Sprint(d.Timing.Total)
	}
	return fmt.Sprintf("%s\t%s\t%s\t%d\t%d\t%d\t%s", name, d.Status, d.Category, d.NumFaces, d.NumMasked, d.NumUnmasked, took)
}
