// Package visiontest draws photos for tests: simple faces, with and without a mask,
// that the detector finds and labels right. Nobody's picture is needed.
//
// It does not link OpenCV. Only tests may import it.
package visiontest
