package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"maskfleet/pkg/vision"
	"maskfleet/pkg/visionconfig"
)

// options are what a person asks for.
type options struct {
	folder       string
	split        string
	json         bool
	detections   string
	out          string
	workingPoint string
	model        string
	tiles        string
	against      string
	corrections  string
	tags         string
}

// usageError is a fault of the command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// parseOptions lets the folder stand before the flags, behind them or between them.
func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("eval", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run says what is wrong
	flags.StringVar(&o.split, "split", "", "measure the photos of this `split` only, such as test")
	flags.BoolVar(&o.json, "json", false, "print all figures as one JSON object")
	flags.StringVar(&o.detections, "detections", "", "write every box into this `file`, as COCO has results")
	flags.StringVar(&o.out, "out", "", "write the report into this `folder` (.local/eval, or nowhere with -json)")
	flags.StringVar(&o.workingPoint, "working-point", string(visionconfig.Accurate), "`fast or accurate`")
	flags.StringVar(&o.model, "model", "", "measure the model in this `folder` instead of the shipped one")
	flags.StringVar(&o.tiles, "tiles", string(visionconfig.TilesOff), "`off or auto`: look at large photos in parts too")
	flags.StringVar(&o.against, "against", "", "measure the model in this `folder or at this working point` too, and compare")
	flags.StringVar(&o.corrections, "corrections", "", "correct the boxes by this `file` instead of our own corrections")
	flags.StringVar(&o.tags, "tags", "", "tag the faces by this `file` instead of our own tags")
	folders, err := parseAround(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stderr, "usage: go tool task eval -- FOLDER [flags]\n\nFOLDER holds annotations.json, in the COCO format, and the photos it names.")
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		return options{}, err
	case err != nil:
		return options{}, &usageError{err.Error()}
	case len(folders) != 1:
		return options{}, &usageError{fmt.Sprintf("name one folder of photos, not %d: go tool task eval -- FOLDER", len(folders))}
	}
	o.folder = folders[0]
	if o.out == "" && !o.json {
		o.out = ".local/eval"
	}
	for _, cfg := range o.detectors() {
		if err := cfg.Validate(); err != nil {
			return options{}, &usageError{err.Error()}
		}
	}
	return o, nil
}

// parseAround collects the arguments that are no flags, wherever they stand.
func parseAround(flags *flag.FlagSet, args []string) ([]string, error) {
	var others []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return others, nil
		}
		others = append(others, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

// detectors are the one to measure and, if asked for, the one beside it.
func (o options) detectors() []vision.Config {
	measured := vision.Config{
		ModelFolder:  o.model,
		WorkingPoint: visionconfig.WorkingPoint(o.workingPoint),
		Tiles:        visionconfig.Tiles(o.tiles),
	}
	if o.against == "" {
		return []vision.Config{measured}
	}
	other := measured
	switch point := visionconfig.WorkingPoint(o.against); point {
	case visionconfig.Fast, visionconfig.Accurate:
		other.WorkingPoint = point
	default:
		other.ModelFolder = o.against
	}
	return []vision.Config{measured, other}
}
