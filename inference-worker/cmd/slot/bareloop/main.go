// The runtime keeps the control group's files open otherwise, to follow its limits:
// the slot does without, so does what it is compared with.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command bareloop decodes a photo, detects, draws and encodes, over and over, with
// nothing round it: what a worker's cost is measured against. It reads the photo from
// standard input and prints the CPU milliseconds that one round took on average.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"maskfleet/pkg/vision"
	"maskfleet/pkg/visionconfig"
)

func main() {
	rounds := flag.Int("rounds", 60, "how often")
	flag.Parse()
	if err := run(*rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bareloop:", err)
		os.Exit(1)
	}
}

func run(rounds int) error {
	photo, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	detector, err := vision.New(visionconfig.Config{WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesOff})
	if err != nil {
		return err
	}
	defer detector.Close()
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		return err
	}
	for range rounds {
		if _, err := detector.Analyze(photo); err != nil {
			return err
		}
	}
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		return err
	}
	fmt.Println((cpu(after) - cpu(before)).Seconds() * 1e3 / float64(rounds))
	return nil
}

func cpu(u syscall.Rusage) time.Duration { return time.Duration(u.Utime.Nano() + u.Stime.Nano()) }
