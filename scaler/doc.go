// Package scaler will size the fleet: observe the queue and the workers, decide how
// many slots are needed, and act by starting and draining instances. Nothing of it
// is implemented yet; the number of workers is whatever a person starts.
//
// When it is, it will be the only writer of the fleet. It must then never act on
// readings that are stale or missing, never end an instance with work in hand, and
// never act without the lease.
package scaler
