// Package load sends photos to the endpoint for test rigs, POST /api/upload, at a
// given rate, and says how it was answered.
//
// The loop is open: an upload begins when its time has come, however many before it
// are still without an answer, as visitors do and as the course's load generator
// did. So an overloaded server is seen to be slow; a loop that waited for answers
// would spare it. Latency counts from when an upload was due, and nothing is sent
// twice.
package load
