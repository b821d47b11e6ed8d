// Command eval runs the detector over a folder of photos with boxes and says how good
// it is; `go tool task eval` starts it. docs/evaluation.md explains its figures.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"maskfleet/inference-worker/eval"
)

// What the program ends with.
const (
	statusOK     = 0
	statusFailed = 1
	statusUsage  = 2 // wrong arguments, or no data set
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	err := evaluate(args, stdout, stderr)
	var usage *usageError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return statusOK
	case errors.As(err, &usage) || errors.Is(err, eval.ErrNoDataSet):
		fmt.Fprintf(stderr, "eval: %v\n", err)
		return statusUsage
	default:
		fmt.Fprintf(stderr, "eval: %v\n", err)
		return statusFailed
	}
}

func evaluate(args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	subject, err := openSubject(o, stderr)
	if err != nil {
		return err
	}
	lookers, err := openLookers(o.detectors())
	if err != nil {
		return err
	}
	defer closeAll(lookers)
	runs, err := lookAtAll(subject.Set, lookers, stderr)
	if err != nil {
		return err
	}
	var against *eval.Run
	if len(runs) > 1 {
		against = &runs[1]
	}
	result := eval.Evaluate(subject, runs[0], against)
	show := result.WriteText
	if o.json {
		show = result.WriteJSON
	}
	if err := show(stdout); err != nil { // before any file: a full disk must not cost the figures
		return err
	}
	return writeFiles(o, subject.Set, result, runs[0], stderr)
}

// openSubject reads the data set, the tags of its faces and the corrections of its
// boxes. Our own lists are silent about photos of others; named ones must fit.
func openSubject(o options, stderr io.Writer) (eval.Subject, error) {
	set, err := eval.OpenDataSet(o.folder, o.split)
	if err != nil {
		return eval.Subject{}, err
	}
	set, err = tag(set, o.tags)
	if err != nil {
		return eval.Subject{}, err
	}
	return correct(set, o.corrections, stderr)
}

func tag(set eval.DataSet, file string) (eval.DataSet, error) {
	list, err := ownOr(file, eval.OwnTags, eval.ReadTags)
	if err != nil {
		return eval.DataSet{}, fmt.Errorf("opening the tags: %w", err)
	}
	tagged, err := set.Tag(list)
	if file == "" && errors.Is(err, eval.ErrOtherData) {
		return set, nil
	}
	return tagged, err
}

func correct(set eval.DataSet, file string, stderr io.Writer) (eval.Subject, error) {
	list, err := ownOr(file, eval.OwnCorrections, eval.ReadCorrections)
	if err != nil {
		return eval.Subject{}, fmt.Errorf("opening the corrections: %w", err)
	}
	corrected, boxes, err := set.Correct(list)
	switch {
	case err == nil:
		return eval.Subject{Set: set, Corrected: &corrected, Corrections: boxes}, nil
	case file == "" && errors.Is(err, eval.ErrOtherData):
		fmt.Fprintln(stderr, "no corrections of these photos' boxes are known")
		return eval.Subject{Set: set}, nil
	default:
		return eval.Subject{}, err
	}
}

// ownOr reads our own list if no file is named.
func ownOr[T any](file string, own func() (T, error), read func([]byte) (T, error)) (T, error) {
	if file == "" {
		return own()
	}
	text, err := os.ReadFile(file)
	if err != nil {
		var none T
		return none, err
	}
	return read(text)
}
