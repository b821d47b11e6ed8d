// Package scaler sizes the fleet: it observes the queue and the workers, decides by
// scaler/decide how many instances there should be, and acts by launching, draining
// and ending them. The steps of a tick are a list in tick.go.
//
// It is the only writer of the fleet. Several may run: the one that holds the lease
// acts, and every change carries the lease's epoch. It must never act on readings that
// are stale or missing, never end an instance with work in hand unless a person says
// so or its time is over, and never act without the lease.
package scaler
