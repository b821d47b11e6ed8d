package command

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"maskfleet/pkg/client"
)

// waitFlags are those of commands that can wait for a batch.
type waitFlags struct {
	wait   bool
	format string
}

func (w *waitFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&w.wait, "wait", "w", false, "wait for the batch to end, then print its results")
	addFormat(cmd, &w.format)
}

func (w *waitFlags) check() error { return checkFormat(w.format) }

// follow shows how the batch comes along until it has ended.
func (a *app) follow(ctx context.Context, c *client.Client, id string) (client.Batch, error) {
	a.goOn = fmt.Sprintf("Batch %s goes on without you. To come back to it: maskfleet watch %s", id, id)
	shown := a.meter("Waiting", 0)
	batch, err := c.WaitBatch(ctx, id, func(b client.Batch) {
		shown.set(b.Counts.Ended(), b.Counts.Total, describe(b))
	})
	shown.end()
	return batch, err
}

// describe says in a few words where a batch stands.
func describe(b client.Batch) string {
	text := sentence(b.Status)
	if b.Run > 1 {
		text += fmt.Sprintf(", run %d", b.Run)
	}
	if failed := b.Counts.Failed + b.Counts.Expired; failed > 0 {
		text += fmt.Sprintf(", %s failed", thousands(failed))
	}
	if at := b.EstimatedDoneAt; at != nil && !b.Status.Ended() {
		text += ", done in " + roughly(time.Until(*at))
	}
	return text
}

func sentence(status client.BatchStatus) string {
	switch status {
	case client.BatchValidating:
		return "Checking"
	case client.BatchQueued:
		return "Waiting"
	case client.BatchInProgress:
		return "Looking"
	case client.BatchFinalizing:
		return "Finishing"
	case client.BatchCompleted:
		return "Done"
	case client.BatchFailed:
		return "Refused"
	case client.BatchCancelling:
		return "Cancelling"
	case client.BatchCancelled:
		return "Cancelled"
	case client.BatchExpired:
		return "Expired"
	}
	return string(status)
}

// roughly writes a time as nobody would take for exact.
func roughly(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "a few seconds"
	case d < 2*time.Minute:
		return fmt.Sprintf("about %d s", int(d.Round(10*time.Second).Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("about %d min", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("about %d h", int(d.Round(time.Hour).Hours()))
}

// conclude prints the results of a batch that has ended, and what to think of it: an
// error if not every item succeeded.
func (a *app) conclude(ctx context.Context, c *client.Client, b client.Batch, format string) error {
	if b.Counts.Total > 0 {
		if err := a.printResults(ctx, c, b.ID, format, ""); err != nil {
			return err
		}
	}
	return a.sayEnd(b)
}

func (a *app) sayEnd(b client.Batch) error {
	if b.Error != nil {
		a.say("Batch %s was refused: %s", b.ID, printableLines(b.Error.Error()))
		return errNotAll
	}
	counts := b.Counts
	a.say("%s: %s of %s succeeded.", sentence(b.Status), thousands(counts.Succeeded), counted(counts.Total, "photo"))
	if b.Succeeded() {
		return nil
	}
	if counts.Failed+counts.Expired > 0 && b.Status != client.BatchCancelled {
		a.say("To try again what failed: maskfleet retry %s", b.ID)
	}
	return errNotAll
}
