// Package reserve gives the servers of tests what must be theirs alone: ports of
// loopback and folders.
//
// It must be imported by tests only. A port that was merely free a moment ago must never
// be used for a server that has to come back at its address: another test's may be there
// by then, and answer in its place.
package reserve
