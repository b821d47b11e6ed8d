package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"maskfleet/scaler/decide"
	"maskfleet/scaler/simulate"
)

// peakShare is how much of the largest fleet the busiest minutes keep busy.
const peakShare = 0.8

// options are what a person asks for.
type options struct {
	traces    []string
	rules     []string
	candidate *decide.Policy
	plant     simulate.Plant
	service   float64
	variation float64
	seed      uint
	scale     float64
	asIs      bool // as many photos as requests, times scale
	phase     float64
	json      bool
	charts    string
}

// usageError is a fault of the command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func parseOptions(args []string, stderr io.Writer) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run says what is wrong
	traces := flags.String("trace", "step", "`file` of minute,requests or second,requests, or a built-in: "+strings.Join(simulate.BuiltIn(), ", ")+"; several with commas")
	rules := flags.String("policy", strings.Join(simulate.Rules(), ","), "`names` with commas")
	candidate := flags.String("candidate", "", "a policy document in this `file`, as one more policy")
	flags.Float64Var(&o.plant.BootSeconds, "boot", 60, "`seconds` from launch to the first photo")
	flags.Float64Var(&o.plant.BootJitter, "jitter", 0, "each boot takes up to so many `seconds` more or less")
	flags.IntVar(&o.plant.Min, "min", 1, "`instances` at least")
	flags.IntVar(&o.plant.Max, "max", 8, "`instances` at most")
	flags.IntVar(&o.plant.SlotsPerInstance, "slots", 1, "`slots` of an instance")
	flags.Float64Var(&o.plant.TargetWait, "target", 10, "a photo that waits longer than these `seconds` is late")
	flags.Float64Var(&o.service, "service", 0.12, "mean `seconds` of a photo in a slot")
	flags.Float64Var(&o.variation, "variation", 0.5, "standard deviation of that over its mean, a `ratio`")
	flags.UintVar(&o.seed, "seed", 1, "`number` from which arrivals, service times and boots are drawn")
	flags.Float64Var(&o.scale, "scale", 1, "`times` the load that keeps eight tenths of the largest fleet busy in the busiest minutes")
	flags.BoolVar(&o.asIs, "as-is", false, "play as many photos as the trace has requests, times --scale, instead")
	flags.Float64Var(&o.phase, "phase", 0, "begin at this `share` of the trace, 0 to 1, and end where it began")
	flags.BoolVar(&o.json, "json", false, "print all figures as JSON")
	flags.StringVar(&o.charts, "charts", "", "write charts into this `folder` (.local/simulate, or nowhere with --json)")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stderr, "usage: go tool task simulate -- --trace FILE [flags]")
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		fmt.Fprint(stderr, "built-in traces:\n", simulate.Describe())
		return options{}, err
	case err != nil:
		return options{}, &usageError{err.Error()}
	case flags.NArg() > 0:
		return options{}, &usageError{fmt.Sprintf("%q is no flag: name the trace with --trace", flags.Arg(0))}
	}
	o.traces, o.rules = split(*traces), split(*rules)
	if o.charts == "" && !o.json {
		o.charts = ".local/simulate"
	}
	if *candidate != "" {
		if o.candidate, err = readCandidate(*candidate); err != nil {
			return options{}, err
		}
	}
	return o, o.check()
}

func split(list string) []string {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func readCandidate(name string) (*decide.Policy, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("opening the candidate: %w", err)
	}
	p, err := decide.ReadPolicy(text)
	if err != nil {
		return nil, fmt.Errorf("reading the candidate: %w", err)
	}
	return &p, nil
}

func (o options) check() error {
	within := func(name string, value, least, most float64) error {
		if math.IsNaN(value) || value < least || value > most {
			return &usageError{fmt.Sprintf("--%s is %g, want %g to %g", name, value, least, most)}
		}
		return nil
	}
	if len(o.traces) == 0 {
		return &usageError{"--trace names none"}
	}
	if len(o.rules) == 0 && o.candidate == nil {
		return &usageError{"--policy names none"}
	}
	p := o.plant
	return errors.Join(
		within("boot", p.BootSeconds, 0.1, 3600), within("jitter", p.BootJitter, 0, p.BootSeconds),
		within("min", float64(p.Min), 1, float64(p.Max)), within("max", float64(p.Max), 1, 10_000),
		within("slots", float64(p.SlotsPerInstance), 1, 256), within("target", p.TargetWait, 0.1, 3600),
		within("service", o.service, 0.0001, 3600), within("variation", o.variation, 0, 10),
		within("scale", o.scale, 0.001, 1000), within("phase", o.phase, 0, 1), within("seed", float64(o.seed), 0, math.MaxUint32),
		o.scenario(simulate.Load{}).Check(),
	)
}

// scenarios gives one for each trace. All are opened before the first is played.
func (o options) scenarios() ([]simulate.Scenario, error) {
	var all []simulate.Scenario
	for _, trace := range o.traces {
		load, err := simulate.OpenLoad(trace)
		if err != nil {
			return nil, fmt.Errorf("looking for the trace: %w", err)
		}
		all = append(all, o.scenario(load))
	}
	return all, nil
}

func (o options) scenario(load simulate.Load) simulate.Scenario {
	plant := o.plant
	plant.Seed = uint32(o.seed)
	size := simulate.Sizing{Seed: uint32(o.seed), ServiceSeconds: o.service, Variation: o.variation, Times: o.scale}
	if !o.asIs {
		size.PeakSlots = peakShare * float64(plant.Max*plant.SlotsPerInstance) * o.scale
	}
	return simulate.Scenario{
		Load:   load.Shift(int(o.phase * float64(load.Seconds()))),
		Sizing: size, Plant: plant, Rules: o.rules, Candidate: o.candidate,
	}
}
