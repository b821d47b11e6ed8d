// The runtime keeps the control group's files open otherwise, to follow its limits.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command slot is the child process in which a worker decodes photos and looks for
// faces: the only program of a running system that links OpenCV. A worker starts it;
// see the package inference-worker/slot.
package main

import (
	"flag"
	"fmt"
	"os"

	"maskfleet/inference-worker/slot/child"
	"maskfleet/inference-worker/slot/wire"
	"maskfleet/pkg/vision"
	"maskfleet/pkg/visionconfig"
)

func main() {
	var s settings
	flag.Uint64Var(&s.dataLimitBytes, "data-limit", 768<<20, "bytes that may be allocated")
	flag.BoolVar(&s.simulateFaults, "simulate-faults", false, "crash, hang or eat memory where a photo asks for it; for tests")
	flag.StringVar(&s.vision.ModelFolder, "model-folder", "", "folder of a manifest.json and its network; empty: the embedded model")
	flag.StringVar((*string)(&s.vision.WorkingPoint), "working-point", string(visionconfig.Accurate), "accurate or fast")
	flag.StringVar((*string)(&s.vision.Tiles), "tiles", string(visionconfig.TilesOff), "off or auto")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "slot:", err)
		os.Exit(1)
	}
}

type settings struct {
	dataLimitBytes uint64
	simulateFaults bool
	vision         vision.Config
}

// run serves photos. The model is loaded before files are forbidden.
func run(s settings) error {
	answers, err := child.TakeOutput()
	if err != nil {
		return err
	}
	if err := child.LimitMemory(s.dataLimitBytes); err != nil {
		return err
	}
	detector, err := vision.New(s.vision)
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
	if s.simulateFaults {
		analyze = child.WithFaults(analyze)
	}
	return child.Serve(os.Stdin, answers, detector.Model(), analyze)
}
