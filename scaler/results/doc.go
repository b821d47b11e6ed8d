// Package results plays a load on a running product and writes down what became of it:
// queue, CPU, fleet and wait over time, and the figures of each policy.
//
// It asks the product as anybody could: the scaler's commands over the broker, the
// account's history over HTTP, and the command `maskfleet load` for the load. It must
// never look into a store, and never leave another policy behind than it found.
package results
