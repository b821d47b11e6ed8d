// Package command is the maskfleet command: what its sub-commands take, do and
// print. Results go to the standard output, everything else beside it, so that a
// pipe gets results only.
//
// It is given everything that it sees of the process, and must not end it or read
// its environment.
package command
