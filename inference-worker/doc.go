// Package inferenceworker takes photos from the queue, has its slots look at them
// and records what they found, exactly once.
//
// The steps of one job are the list in process.go; what becomes of a job when a
// step fails is the table in settle.go; every change of a photo's state is a line
// of job.Table. It must never decode a photo itself (the slots do, in processes of
// their own), never settle a delivery whose fence it has lost, and never count its
// own stop or a store's outage as a failed attempt.
package inferenceworker
