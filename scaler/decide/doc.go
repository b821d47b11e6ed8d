// Package decide says how many instances the fleet should have, and why.
//
// Decide is a pure function: the same observation, policy and history give the same
// decision. It does no I/O, reads no clock and starts nothing, so that the simulator
// and the replay of a day run the very code that runs the fleet. It imports the
// standard library only.
//
// It must never shrink the fleet on readings that are stale, missing or unbelievable.
package decide
