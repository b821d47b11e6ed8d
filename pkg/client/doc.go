// Package client speaks the HTTP API of Maskfleet, /v1, for programs that send
// photos and want to know, for every face, whether a mask is worn.
//
// Every call takes a context. What may be repeated is repeated, for as long as
// Config.Patience allows: answers 429 and 503 not before their Retry-After, broken
// connections with growing, jittered pauses. Every POST carries an idempotency key,
// so that repeating it changes nothing. A refusal is an [*APIError].
//
// It uses the standard library only and must import nothing else of this
// repository: an integrator's program carries no server.
package client
