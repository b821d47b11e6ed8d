package vision

// #cgo pkg-config: opencv4
// #cgo CXXFLAGS: -O2
// #include "opencv.h"
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"strings"
)

// useOneThread keeps OpenCV to the thread that calls it. There is a slot for every
// core already, and OpenCV's idle threads spin. gocv 0.31 cannot say this, and the
// variable OPENCV_FOR_THREADS_NUM leaves two threads.
func useOneThread() { C.maskfleet_set_threads(1) }

// network is a network of OpenCV. gocv's own has no way to say that a file is no
// good but to end the process, and forgets some memory at every run.
type network struct {
	native  *C.maskfleet_network
	outputs []tensor // as many as were asked for; their values are used again by the next run
}

// tensor is one output of a network.
type tensor struct {
	shape  []int
	values []float32
}

// openNetwork reads an ONNX file, of which the named outputs are wanted.
func openNetwork(onnx []byte, outputs []string) (*network, error) {
	if len(onnx) == 0 {
		return nil, errors.New("the file is empty")
	}
	message := newMessage()
	native := C.maskfleet_network_open((*C.uchar)(&onnx[0]), C.int(len(onnx)), message.start(), message.size())
	if native == nil {
		return nil, fmt.Errorf("OpenCV does not read it: %w", message.err())
	}
	n := &network{native: native, outputs: make([]tensor, len(outputs))}
	for _, name := range outputs {
		text := []byte(name)
		if C.maskfleet_network_add_output(native, (*C.uchar)(&text[0]), C.int(len(text)), message.start(), message.size()) == 0 {
			n.close()
			return nil, message.err()
		}
	}
	return n, nil
}

func (n *network) close() { C.maskfleet_network_close(n.native) }

// run feeds the network a picture in BGR, three bytes a pixel without gaps, and gives
// its outputs, which hold until the next run.
func (n *network) run(pixels []byte, size image.Point, feed feed) ([]tensor, error) {
	if len(pixels) == 0 || len(pixels) != 3*size.X*size.Y {
		return nil, fmt.Errorf("%d bytes are no picture of %v", len(pixels), size)
	}
	message := newMessage()
	ran := C.maskfleet_network_run(n.native, (*C.uchar)(&pixels[0]), C.int(size.X), C.int(size.Y),
		(*C.int)(&feed.order[0]), (*C.float)(&feed.scale[0]), (*C.float)(&feed.mean[0]), message.start(), message.size())
	if ran == 0 {
		return nil, fmt.Errorf("running the network on %d × %d pixels: %w", size.X, size.Y, message.err())
	}
	for i := range n.outputs {
		if err := n.take(i); err != nil {
			return nil, err
		}
	}
	return n.outputs, nil
}

func (n *network) take(output int) error {
	var sides [4]C.int
	dims := int(C.maskfleet_network_shape(n.native, C.int(output), &sides[0]))
	if dims < 1 || dims > len(sides) {
		return fmt.Errorf("output %d of the network has %d dimensions", output, dims)
	}
	t := &n.outputs[output]
	t.shape = t.shape[:0]
	count := 1
	for _, side := range sides[:dims] {
		t.shape = append(t.shape, int(side))
		count *= int(side)
	}
	if count < 1 {
		return fmt.Errorf("output %d of the network is empty", output)
	}
	if cap(t.values) < count {
		t.values = make([]float32, count)
	}
	t.values = t.values[:count]
	if C.maskfleet_network_values(n.native, C.int(output), (*C.float)(&t.values[0]), C.int(count)) == 0 {
		return fmt.Errorf("output %d of the network is not of 32-bit floats", output)
	}
	return nil
}

// message is room for what the C++ side has to say.
type message []byte

func newMessage() message { return make(message, 400) }

func (m message) start() *C.uchar { return (*C.uchar)(&m[0]) }

func (m message) size() C.int { return C.int(len(m)) }

func (m message) err() error {
	text, _, _ := bytes.Cut(m, []byte{0})
	return errors.New(strings.Join(strings.Fields(string(text)), " "))
}
