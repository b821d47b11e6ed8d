// Command local is the launcher: it makes one machine ready and runs the whole
// product on it. `go tool task` calls it; its commands are up, down, clean,
// build and demo.
//
// It installs system packages, so it must ask for nothing else, touch nothing
// outside the repository otherwise, and start no service of the machine's own.
// It should stay quick to compile: it must never import a service.
package main
