package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"maskfleet/pkg/client/load"
	"maskfleet/pkg/client/submission"
)

// mostInMemory bounds the photos of a load run, which are held in memory.
const mostInMemory = 1 << 30 // bytes

const longLoad = `Uploads the photos of a folder to POST /api/upload of a front door, at a rate,
in turn and as often as needed, and reports how they were answered. The arguments
are those of the course's load generator. The account is one made with
POST /api/register, or any other.

The loop is open: an upload begins when its time has come, whatever became of
those before. Latency counts from then. Nothing is sent twice.

With --phases instead of RATE and COUNT the rate changes over time:
60s@5,2m@5-20,60s@20 is a minute at 5 a second, two minutes in which the rate
grows to 20 a second, and a minute at 20.

Ctrl-C ends the sending, waits for the answers under way and reports.
The exit code is 0 only if no connection broke.`

const exampleLoad = `  maskfleet load http://127.0.0.1:8080 rig correct-horse 5 photos/ 300
  maskfleet load http://127.0.0.1:8080/api/upload rig correct-horse photos/ --phases 60s@5,60s@20,60s@5`

type loadFlags struct {
	phases  string
	keep    bool
	asJSON  bool
	timeout time.Duration
}

func (a *app) loadCommand() *cobra.Command {
	var flags loadFlags
	cmd := &cobra.Command{
		Use:   "load URL USERNAME PASSWORD {RATE FOLDER COUNT | FOLDER --phases PHASES}",
		Short: "Upload photos at a given rate, and report how they were answered",
		Long:  longLoad, Example: exampleLoad,
		Args: func(_ *cobra.Command, args []string) error {
			_, _, err := flags.parse(args)
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.load(cmd.Context(), flags, args) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.phases, "phases", "", "times with their rates, such as 60s@5,2m@5-20")
	f.BoolVar(&flags.keep, "keep-alive", false, "use connections again, which the course's generator does not do")
	f.BoolVar(&flags.asJSON, "json", false, "report as JSON")
	f.DurationVar(&flags.timeout, "timeout", time.Minute, "how long to wait for an answer")
	return cmd
}

func (f loadFlags) parse(args []string) (folder string, phases []load.Phase, err error) {
	if f.phases != "" {
		if len(args) != 4 {
			return "", nil, fmt.Errorf("with --phases, load needs URL USERNAME PASSWORD FOLDER, not %d arguments", len(args))
		}
		phases, err = load.ParsePhases(f.phases)
		return args[3], phases, err
	}
	if len(args) != 6 {
		return "", nil, fmt.Errorf("load needs URL USERNAME PASSWORD RATE FOLDER COUNT, not %d arguments", len(args))
	}
	rate, err := strconv.ParseFloat(args[3], 64)
	if err != nil || !(rate > 0 && rate <= 100_000) {
		return "", nil, fmt.Errorf("the rate is %q, want a number of uploads a second", args[3])
	}
	count, err := strconv.Atoi(args[5])
	if err != nil || count <= 0 {
		return "", nil, fmt.Errorf("the count is %q, want a number of uploads", args[5])
	}
	return args[4], []load.Phase{load.Steady(rate, count)}, nil
}

func (a *app) load(ctx context.Context, flags loadFlags, args []string) error {
	folder, phases, err := flags.parse(args)
	if err != nil {
		return err
	}
	photos, err := readPhotos(folder)
	if err != nil {
		return err
	}
	count := 0
	for _, phase := range phases {
		count += phase.Count()
	}
	a.say("Sending %s, from %s.", counted(count, "upload"), counted(len(photos), "photo"))
	cfg := load.Config{
		URL: args[0], Username: args[1], Password: args[2], Photos: photos, Phases: phases, Timeout: flags.timeout,
	}
	if flags.keep {
		cfg.Reuse = load.KeepConnections
	}
	shown := a.meter("Uploading", count)
	cfg.Seen = func(now load.Snapshot) {
		shown.set(now.Sent, count, fmt.Sprintf("%d with a result, %d without, %d under way", now.Good, now.Bad, now.InFlight))
	}
	report, err := load.Run(ctx, cfg)
	shown.end()
	if err != nil {
		return err
	}
	if flags.asJSON {
		err = a.printJSON(report)
	} else {
		err = a.printReport(report)
	}
	if err == nil && report.Total.FaultCount() > 0 {
		return errNotAll
	}
	return err
}

func readPhotos(folder string) ([]load.Photo, error) {
	found, err := submission.Find([]string{folder}, submission.ByPath, 0)
	if err != nil {
		return nil, err
	}
	switch {
	case len(found.Photos) == 0:
		return nil, errors.New("no photos were found")
	case found.Bytes() > mostInMemory:
		return nil, fmt.Errorf("the photos have %s, more than the %s that are held in memory", megabytes(found.Bytes()), megabytes(mostInMemory))
	}
	photos := make([]load.Photo, len(found.Photos))
	for i, photo := range found.Photos {
		data, err := os.ReadFile(photo.Path)
		if err != nil {
			return nil, err
		}
		photos[i] = load.Photo{Name: filepath.Base(photo.Path), Data: data}
	}
	return photos, nil
}

func (a *app) printReport(r load.Report) error {
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "PHASE\tOFFERED/S\tSENT/S\tSENT\tRESULTS\tNO ANSWER\tP50 MS\tP90\tP95\tP99\tMAX\t")
	parts := r.Phases
	if len(parts) != 1 {
		parts = append(slices.Clone(parts), r.Total)
	}
	for _, p := range parts {
		fmt.Fprintf(table, "%s\t%.2f\t%.2f\t%d\t%d\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t\n",
			p.Phase, p.OfferedRate, p.SentRate, p.Sent, p.Good, p.FaultCount(),
			p.Latency.P50, p.Latency.P90, p.Latency.P95, p.Latency.P99, p.Latency.Max)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(a.Out)
	printCounts(a, "status", r.Total.Statuses)
	printCounts(a, "no answer:", r.Total.Faults)
	const tolerable = 50 // ms
	if r.Total.LateMS > tolerable {
		a.say("An upload began %.0f ms late: this machine was too busy to keep the rate exactly.", r.Total.LateMS)
	}
	return nil
}

func printCounts[K cmp.Ordered](a *app, what string, counts map[K]int) {
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(a.Out, "%s %v: %d\n", what, key, counts[key])
	}
}
