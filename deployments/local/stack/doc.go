// Package stack runs the whole product on one machine: the stores, the broker,
// the balancer and the product's own programs, each a child process with its
// own pid, log file and loopback port, so that each can be killed alone.
//
// Everything it keeps lies under one folder, and all children die with the
// process that started them, however it ends. It must never import a package of
// the product: it knows the programs by their names and their environment only.
// The launcher and the end-to-end tests may import it.
package stack
