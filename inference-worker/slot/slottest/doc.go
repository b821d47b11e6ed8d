// Package slottest helps tests that need a slot: it builds the slot program and
// makes photos that ask a slot for a fault.
//
// Only tests may import it.
package slottest
