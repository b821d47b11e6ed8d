// Package e2e holds the promises of docs/architecture.md against the whole product:
// its tests start every process of the local stack, kill some of them, and count.
//
// Every interval of the stack is a tenth of the usual one. The tests wait for
// events (a state in MySQL, an answer over HTTP), never for time alone, and stop by
// pid what they start.
package e2e
