// Package connect makes connections to the broker that are kept: a broker that is
// away, now or later, is looked for until Close, and what is sent meanwhile fails at
// once.
//
// It is for package jobqueue and those below it. It must never decide what a
// connection is used for.
package connect
