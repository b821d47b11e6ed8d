// Package simulate runs a policy over a day of traffic in seconds: photos arrive as in
// a trace, slots serve them, instances boot and are paid for. The decision is the
// product's own, beside it are the rules of other scalers and a plan that knows the
// future, as the floor.
//
// It must never decide anything itself, and never touch a real fleet.
package simulate
