// Package problem is the refusal of a request, by HTTP or of a command on the broker,
// as a client sees it: RFC 9457 problem details with a stable code and a sentence a
// person understands.
//
// The cause of a problem is for the log and must never reach a client. Services
// and the packages that answer requests may import it.
package problem
