// Package wire is what a worker and its slots say to each other over the slot's
// standard input and output: frames with a length in front, every length bounded
// before anything is read.
//
// Both sides import it. It must never start, stop or trust a process: the parent
// reads a slot's frames as it would read a stranger's.
package wire
