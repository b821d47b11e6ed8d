// Package eval says how good a detector is: it reads a folder of photos with boxes in
// the COCO format, compares what a detector found with what is there, and writes the
// figures as text, as JSON, and as a report with plots and a sheet of the worst
// mistakes.
//
// Average precision is COCO's, so that figures can be set beside those of others:
// 101 recall points, the surest detection first, each matched to the best free face
// of its class. Faces that are known to be unboxed lie in regions to be ignored: what
// is found there counts neither as right nor as wrong.
//
// It links no OpenCV and runs no detector: inference-worker/cmd/eval does. It must
// never change a photo or its boxes, and it knows no goals.
package eval
