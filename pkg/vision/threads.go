package vision

// #cgo pkg-config: opencv4
// #include "threads.h"
import "C"

// useOneThread keeps OpenCV to the thread that calls it. There is a slot for every
// core already, and OpenCV's idle threads spin. gocv 0.31 cannot say this, and the
// variable OPENCV_FOR_THREADS_NUM leaves two threads.
func useOneThread() { C.maskfleet_set_threads(1) }
