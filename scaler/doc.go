// Package scaler will size the fleet: observe the queue and the workers, decide how
// many slots are needed, and act by starting and draining instances. What it decides is
// built, in decide, and so is a model of the fleet that the decision can be tried on,
// in simulate; observing and acting are not, and the number of workers is whatever a
// person starts.
//
// When they are, it will be the only writer of the fleet. It must then never act on
// readings that are stale or missing, never end an instance with work in hand, and
// never act without the lease.
package scaler
