// Package jobqueue hands photos to workers: one small message for each waiting
// photo, in lanes, delivered at least once, with a depth that can be read. It also
// keeps what else lives on the broker: dead letters, events, who is alive, leases.
//
// It is the only door to NATS: no other package imports nats.go. It must never
// decide what becomes of a photo (package job and the row in MySQL do) and never
// be the only place that knows of one. Acks of JetStream are not fenced: a worker
// that lost its lease can settle another's delivery, and no success here proves
// that the caller still held the job.
//
// Every name on the broker stands in names.go.
package jobqueue
