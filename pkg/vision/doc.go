// Package vision looks at one photo: it checks that the file is whole, decodes it
// upright, finds the faces and says of each whether a mask is worn, draws what it
// found and encodes the drawing and a thumbnail. The steps stand one below the other
// in Detector.look and Detector.Analyze, each in a file of its own.
//
// It is the only package that may import gocv, and only the slot and the program that
// measures the detector may import it: OpenCV reads a stranger's bytes in C++ and can
// take the process down. It must never open a socket, an environment variable, or a
// file but those of the model, at its start.
package vision
