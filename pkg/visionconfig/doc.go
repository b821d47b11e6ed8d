// Package visionconfig is what the detector can be told, for the programs that pass
// it on: a worker, which starts slots, and whatever measures a model.
//
// It must never link OpenCV; that is package vision's.
package visionconfig
