package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
)

// ErrUnknownRule is a name that Rules does not list.
var ErrUnknownRule = errors.New("no such policy")

// WriteText writes the comparison as a table.
func (c Comparison) WriteText(out io.Writer) error {
	fmt.Fprintf(out, "%s: %d photos, %.3g for each request, in %.1f h, %.1f slot-hours of work; boot %g s, %d..%d instances of %d, begun with %d, late after %g s, seed %d\n",
		c.Trace, c.Photos, c.Scaled, c.Hours, c.WorkHours, c.BootSeconds, c.Min, c.Max, c.Slots, c.Initial, c.TargetWait, c.Seed)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "policy\tlate\tcost\tx plan\tp50\tp95\tp99\tlongest\tlaunches\ta day\tactions\t")
	for _, r := range c.Rows {
		fmt.Fprintf(table, "%s\t%.2f %%\t%.2f h\t%.2f\t%.2f s\t%.1f s\t%.1f s\t%.1f s\t%d\t%.0f\t%d\t\n",
			r.Policy, r.LatePercent, r.InstanceHours, r.CostRatio, r.MedianWait, r.Wait95, r.Wait99, r.LongestWait, r.Launches, r.LaunchesDaily, r.Actions)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// WriteJSON writes comparisons as one JSON array.
func WriteJSON(out io.Writer, all []Comparison) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}
