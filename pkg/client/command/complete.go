package command

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// completionTimeout is for how long a person who pressed the tab key may wait.
const completionTimeout = 3 * time.Second

// completes offers values for a flag.
func completes(cmd *cobra.Command, flag string, values ...string) {
	offer := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // there is no such flag
	}
}

// completeBatch offers the newest batches. Where they cannot be had it offers
// nothing, and says nothing: the person is in the middle of a line.
func (a *app) completeBatch(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionTimeout)
	defer cancel()
	c, _, err := a.client(noPatience)
	if err != nil || (len(args) > 0 && !strings.HasSuffix(cmd.Use, "...")) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var offers []string
	n := 0
	for b, err := range c.Batches(ctx, "") {
		if n++; err != nil || n > mostListed {
			break
		}
		if strings.HasPrefix(b.ID, begun) {
			offers = append(offers, b.ID+"\t"+describe(b)+", "+clock(b.CreatedAt))
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
