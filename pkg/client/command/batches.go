package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"maskfleet/pkg/client"
	"maskfleet/pkg/client/submission"
)

// mostListed is how many batches are listed, the newest.
const mostListed = 20

func (a *app) statusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status [ID]", Short: "Say where a batch stands; without ID, list the newest batches",
		Example: "  maskfleet status\n  maskfleet status --json ID | jq .counts",
		Args:    cobra.MaximumNArgs(1), ValidArgsFunction: a.completeBatch,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := a.client(shortPatience)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return a.listBatches(cmd.Context(), c)
			}
			b, err := c.Batch(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(b)
			}
			return a.printBatch(b)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the batch as JSON")
	return cmd
}

func (a *app) printJSON(value any) error {
	out := json.NewEncoder(a.Out)
	out.SetIndent("", "  ")
	return out.Encode(value)
}

func (a *app) printBatch(b client.Batch) error {
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	line("batch", b.ID)
	line("status", string(b.Status))
	if b.Run > 1 {
		line("run", fmt.Sprint(b.Run))
	}
	line("photos", photosOf(b.Counts))
	line("found", found(b.Summary))
	line("created", clock(b.CreatedAt))
	if b.FinishedAt != nil {
		line("finished", clock(*b.FinishedAt))
	} else if b.EstimatedDoneAt != nil {
		line("done", fmt.Sprintf("%s, in %s", clock(*b.EstimatedDoneAt), roughly(time.Until(*b.EstimatedDoneAt))))
	}
	if b.Error != nil {
		line("error", strings.ReplaceAll(printableLines(b.Error.Error()), "\n", "\n\t"))
	}
	return table.Flush()
}

func photosOf(c client.Counts) string {
	parts := []string{thousands(c.Total) + " in all"}
	for _, part := range []struct {
		n    int
		what string
	}{
		{c.Succeeded, "succeeded"},
		{c.Failed, "failed"},
		{c.Cancelled, "cancelled"},
		{c.Expired, "expired"},
		{c.Total - c.Ended(), "to come"},
	} {
		if part.n > 0 {
			parts = append(parts, thousands(part.n)+" "+part.what)
		}
	}
	return strings.Join(parts, ", ")
}

func found(s client.Summary) string {
	if s.NumFaces == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s masked, %s unmasked", counted(s.NumFaces, "face"), thousands(s.NumMasked), thousands(s.NumUnmasked))
}

func (a *app) listBatches(ctx context.Context, c *client.Client) error {
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "BATCH\tSTATUS\tPHOTOS\tSUCCEEDED\tFAILED\tCREATED")
	n := 0
	for b, err := range c.Batches(ctx, "") {
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", b.ID, b.Status,
			thousands(b.Counts.Total), thousands(b.Counts.Succeeded), thousands(b.Counts.Failed+b.Counts.Expired), clock(b.CreatedAt))
		if n++; n == mostListed {
			break
		}
	}
	return table.Flush()
}

func (a *app) watchCommand() *cobra.Command {
	return &cobra.Command{
		Use: "watch ID", Short: "Show how a batch comes along until it has ended",
		Long: "Shows how a batch comes along until it has ended. Ctrl-C ends the watching, not the\n" +
			"batch. The exit code is 0 only if every item succeeded.",
		Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeBatch,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := a.client(longPatience)
			if err != nil {
				return err
			}
			b, err := a.follow(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			return errors.Join(a.sayEnd(b), submission.ForgetBatch(a.journals(), b.ID))
		},
	}
}

func (a *app) cancelCommand() *cobra.Command {
	return &cobra.Command{
		Use: "cancel ID...", Short: "Cancel what waits of a batch",
		Long: "Cancels the items of batches that wait. Those in hand finish and keep their results.",
		Args: cobra.MinimumNArgs(1), ValidArgsFunction: a.completeBatch,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := a.client(shortPatience)
			if err != nil {
				return err
			}
			for _, id := range args {
				b, err := c.Cancel(cmd.Context(), id)
				if err != nil {
					return err
				}
				a.say("%s: %s. %s.", b.ID, sentence(b.Status), photosOf(b.Counts))
				if err := submission.ForgetBatch(a.journals(), b.ID); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (a *app) retryCommand() *cobra.Command {
	var flags waitFlags
	cmd := &cobra.Command{
		Use: "retry ID", Short: "Try again what failed or expired",
		Long: "Opens another run of a batch that has ended, for the items that failed or expired\n" +
			"only. With --wait, prints the results of the whole batch afterwards.",
		Args: func(cmd *cobra.Command, args []string) error {
			return errors.Join(cobra.ExactArgs(1)(cmd, args), flags.check())
		},
		ValidArgsFunction: a.completeBatch,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := a.client(longPatience)
			if err != nil {
				return err
			}
			b, err := c.Retry(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !flags.wait {
				a.say("%s: %s. %s.", b.ID, describe(b), photosOf(b.Counts))
				return nil
			}
			if b, err = a.follow(cmd.Context(), c, b.ID); err != nil {
				return err
			}
			return a.conclude(cmd.Context(), c, b, flags.format)
		},
	}
	flags.add(cmd)
	return cmd
}

func (a *app) deleteCommand() *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use: "delete --yes ID...", Short: "Erase batches with their photos and results",
		Args: func(cmd *cobra.Command, args []string) error {
			if !sure {
				return errors.New("delete erases photos and results for good; say --yes if that is meant")
			}
			return cobra.MinimumNArgs(1)(cmd, args)
		},
		ValidArgsFunction: a.completeBatch,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := a.client(shortPatience)
			if err != nil {
				return err
			}
			for _, id := range args {
				deleted, err := c.DeleteBatch(cmd.Context(), id)
				if err != nil {
					return err
				}
				a.say("%s: %s erased, with %s%s.", id, counted(deleted.Photos, "photo"), counted(deleted.Objects, "file"), following(deleted))
				if err := submission.ForgetBatch(a.journals(), id); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "yes, erase them")
	return cmd
}

func following(d client.Deleted) string {
	if d.Pending == 0 {
		return ""
	}
	return "; the files of " + thousands(d.Pending) + " follow"
}

func (a *app) limitsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "limits", Short: "Print the limits in force, as JSON", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := a.client(shortPatience)
			if err != nil {
				return err
			}
			limits, err := c.Limits(cmd.Context())
			if err != nil {
				return err
			}
			return a.printJSON(limits.Raw)
		},
	}
}
