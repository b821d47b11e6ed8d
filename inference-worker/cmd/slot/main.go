// The runtime keeps the control group's files open otherwise, to follow its limits.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command slot is the child process in which a worker decodes photos and looks for
// faces: the only program that links OpenCV. A worker starts it; see the package
// inference-worker/slot.
package main

import (
	"flag"
	"fmt"
	"os"

	"maskfleet/inference-worker/slot/child"
	"maskfleet/inference-worker/slot/wire"
	"maskfleet/pkg/vision"
)

func main() {
	dataLimitBytes := flag.Uint64("data-limit", 768<<20, "bytes that may be allocated")
	simulateFaults := flag.Bool("simulate-faults", false, "crash, hang or eat memory where a photo asks for it; for tests")
	flag.Parse()
	as := func(a child.Analyze) child.Analyze { return a }
	if *simulateFaults {
		as = child.WithFaults
	}
	if err := run(*dataLimitBytes, as); err != nil {
		fmt.Fprintln(os.Stderr, "slot:", err)
		os.Exit(1)
	}
}

// run serves photos; what looks at them is the detector, wrapped in as.
func run(dataLimitBytes uint64, as func(child.Analyze) child.Analyze) error {
	answers, err := child.TakeOutput()
	if err != nil {
		return err
	}
	if err := child.LimitMemory(dataLimitBytes); err != nil {
		return err
	}
	detector, err := vision.New()
	if err != nil {
		return err
	}
	defer detector.Close()
	if err := child.Confine(); err != nil {
		return err
	}
	analyze := func(r wire.Request) (wire.Result, error) {
		found, err := detector.Analyze(r.Data)
		return wire.Result{
			Width: found.Width, Height: found.Height, Faces: found.Faces,
			Annotated: found.AnnotatedJPEG, Thumbnail: found.ThumbnailJPEG,
		}, err
	}
	return child.Serve(os.Stdin, answers, detector.Model(), as(analyze))
}
