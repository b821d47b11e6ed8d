// Package awstest starts AWS on loopback for one test: the host, the API and a real
// HAProxy, each a process that dies with the test binary. Tests of other packages may
// import it, programs must not.
package awstest
