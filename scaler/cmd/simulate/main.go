// Command simulate runs the scaler's policies, and those of others, over a trace of
// traffic; `go tool task simulate` starts it. docs/scaling.md explains its figures.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"maskfleet/scaler/decide"
	"maskfleet/scaler/simulate"
)

// What the program ends with.
const (
	statusOK     = 0
	statusFailed = 1
	statusUsage  = 2 // wrong arguments, or no trace
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	err := compare(args, stdout, stderr)
	var usage *usageError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return statusOK
	case errors.As(err, &usage), errors.Is(err, simulate.ErrTrace), errors.Is(err, simulate.ErrUnknownRule),
		errors.Is(err, decide.ErrPolicy), errors.Is(err, os.ErrNotExist):
		fmt.Fprintf(stderr, "simulate: %v\n", err)
		return statusUsage
	default:
		fmt.Fprintf(stderr, "simulate: %v\n", err)
		return statusFailed
	}
}

func compare(args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	scenarios, err := o.scenarios()
	if err != nil {
		return err
	}
	var all []simulate.Comparison
	for _, scenario := range scenarios {
		c, err := simulate.Compare(scenario)
		if err != nil {
			return fmt.Errorf("simulating %s: %w", scenario.Load.Name, err)
		}
		if !o.json {
			if err := c.WriteText(stdout); err != nil {
				return err
			}
			fmt.Fprintln(stdout)
		}
		if o.charts != "" {
			if err := writeCharts(o.charts, c, stderr); err != nil {
				return err
			}
		}
		c.Forget()
		all = append(all, c)
	}
	if o.json {
		return simulate.WriteJSON(stdout, all)
	}
	return nil
}

func writeCharts(folder string, c simulate.Comparison, stderr io.Writer) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("making the folder of charts: %w", err)
	}
	name := filepath.Join(folder, c.Trace+".html")
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("making the charts: %w", err)
	}
	err = c.WriteCharts(file)
	if closeErr := file.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("writing %s: %w", name, closeErr)
	}
	if err == nil {
		fmt.Fprintf(stderr, "charts: %s\n", name)
	}
	return err
}
