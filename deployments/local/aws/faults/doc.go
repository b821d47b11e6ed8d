// Package faults makes the stand-in fail as AWS does on a bad day, on request: by a
// control address of its own, so that what is tested cannot tell.
package faults
