// Package httpserver gives the services their Fiber application: bodies streamed
// and limited, every request with an identity, a deadline, a trace, a log line and
// a metric, refusals as problems, event streams, and a stop that lets a balancer
// look away first.
//
// It must never know a route of the product, open a store or decide what a person
// may do. Two habits of Fiber shape it, both measured: a streamed body is not
// limited by Fiber, so every reader here takes its limit; and a client that left is
// noticed only by a failed write, so nothing waits on Fiber's own context.
// Handlers must read bodies through this package: c.Body and c.FormValue would read
// without limit. Only ingest and manager may import it.
package httpserver
