// Package child is the slot's own side of its conversation with the worker: it
// takes photos one by one, answers, and gives up what it will not need before it
// touches the first of them.
//
// It knows nothing of OpenCV; the slot program brings the function that analyses.
// It must never open a file or a socket once Confine has returned.
package child
