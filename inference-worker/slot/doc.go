// Package slot keeps a worker's slots: child processes that decode a photo, look
// for faces in it, draw and encode. OpenCV reads a stranger's bytes there and may
// crash, hang or eat memory; then a slot dies, one attempt of one photo fails and
// another slot takes its place.
//
// A slot has an empty environment, no file or socket but its two pipes, a bound on
// its memory and a lower priority than the front door beside it, and dies with its
// worker. This package must never import OpenCV or vision: that is the slot
// program's, inference-worker/cmd/slot.
package slot
