// Package house holds the rules of this repository as tests: who may import whom,
// what every package must say of itself, how long a file may be, and that the
// catalogue of errors is complete. Each rule carries its reason, which the failing
// test prints.
//
// It has no code but its tests, and nothing may import it.
package house
