package slottest

import (
	"encoding/binary"
	"fmt"
	"os/exec"
	"path/filepath"

	"maskfleet/inference-worker/slot/child"
)

// WithFault puts a request for a fault into a JPEG, which stays a valid photo; see
// child.FaultMarker for the faults. Slots take notice only with
// Config.SimulateFaults. It panics on bytes that are not a JPEG.
func WithFault(jpeg []byte, fault string) []byte {
	if len(jpeg) < 2 || jpeg[0] != 0xff || jpeg[1] != 0xd8 {
		panic("slottest: not a JPEG")
	}
	comment := child.FaultMarker + fault
	out := make([]byte, 0, len(jpeg)+4+len(comment))
	out = append(out, 0xff, 0xd8, 0xff, 0xfe)
	out = binary.BigEndian.AppendUint16(out, uint16(2+len(comment)))
	out = append(out, comment...)
	return append(out, jpeg[2:]...)
}

// Build builds the slot program into dir and gives its path. It takes minutes
// where OpenCV's bindings were never compiled, else seconds: call it once in a
// test binary, from TestMain.
func Build(dir string) (string, error) {
	program := filepath.Join(dir, "slot")
	out, err := exec.Command("go", "build", "-o", program, "maskfleet/inference-worker/cmd/slot").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the slot program: %w\n%s", err, out)
	}
	return program, nil
}
