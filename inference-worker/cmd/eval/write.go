package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"maskfleet/inference-worker/eval"
)

// The files of a report.
const (
	reportFile = "report.html"
	sheetFile  = "mistakes.jpg"
)

// writeFiles writes what o asks for beside the figures on standard output.
func writeFiles(o options, set eval.DataSet, result eval.Result, run eval.Run, stderr io.Writer) error {
	if o.detections != "" {
		err := writeFile(o.detections, func(out io.Writer) error { return eval.WriteDetections(out, set, run) })
		if err != nil {
			return err
		}
	}
	if o.out == "" {
		return nil
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return fmt.Errorf("making the report's folder: %w", err)
	}
	report, sheet := filepath.Join(o.out, reportFile), filepath.Join(o.out, sheetFile)
	if err := writeFile(sheet, func(out io.Writer) error { return eval.WriteSheet(out, set, run) }); err != nil {
		return err
	}
	if err := writeFile(report, func(out io.Writer) error { return result.WriteReport(out, sheetFile) }); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "report: %s\n", report)
	return nil
}

func writeFile(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	defer file.Close()
	if err := write(file); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
