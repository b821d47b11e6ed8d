// Package lifecycle runs the parts of a program from its start to its stop.
//
// It owns signal handling: no other package may install a signal handler, and
// programs may do so only through it.
package lifecycle
