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
	if err := writeFiles(o, subject.Set, result, runs[0], stderr); err != nil {
		return err
	}
	if o.json {
		return result.WriteJSON(stdout)
	}
	return result.WriteText(stdout)
}

// openSubject reads the data set and the corrections of its boxes. Our own corrections
// are silent about photos of others; named ones must fit.
func openSubject(o options, stderr io.Writer) (eval.Subject, error) {
	set, err := eval.OpenDataSet(o.folder, o.split)
	if err != nil {
		return eval.Subject{}, err
	}
	subject := eval.Subject{Set: set}
	var list []eval.Corrected
	if o.corrections == "" {
		list, err = eval.OwnCorrections()
	} else {
		var text []byte
		if text, err = os.ReadFile(o.corrections); err == nil {
			list, err = eval.ReadCorrections(text)
		}
	}
	if err != nil {
		return eval.Subject{}, fmt.Errorf("opening the corrections: %w", err)
	}
	corrected, boxes, err := set.Correct(list)
	switch {
	case err == nil:
		subject.Corrected, subject.Corrections = &corrected, boxes
	case o.corrections == "" && errors.Is(err, eval.ErrOtherData):
		fmt.Fprintln(stderr, "no corrections of these photos' boxes are known")
	default:
		return eval.Subject{}, err
	}
	return subject, nil
}
