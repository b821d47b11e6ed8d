// Package testenv gives tests the real things the product stands on: MariaDB,
// NATS, Redis and S3 servers on loopback, each started once in a test binary and
// gone when the binary ends, however it ends.
//
// Only tests and deployments/* may import it; a service program must never depend
// on it. A server that cannot be started fails the test: nothing here skips.
package testenv
