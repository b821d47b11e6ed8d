// Command s3 is the S3 of one machine: versitygw, a real S3 server, over a
// folder. The local stack and the tests start it as a child process.
//
// It stands in a module of its own, so that the server's dependencies stay out
// of the product's go.mod, and must never import anything of the product. It
// does not fsync: objects survive a killed process, not a power cut.
package main
