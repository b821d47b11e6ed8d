// Package clienttest is a front door in memory, for tests of programs that speak to
// one: it keeps to the contract of /v1 as docs/api.md has it, looks at no photo, and
// finishes a batch when it is told to. It can refuse, and break connections.
//
// It is made for tests; no program may contain it.
package clienttest
