// Package host is the hardware under the stand-in's instances: it runs an instance's
// programs on a loopback address of their own, holds them to their share of CPU,
// serves each its metadata, and knows nothing of EC2's words.
//
// It is a process of its own, so that the stand-in for the API can be killed and
// started again while instances go on. All instances die with it, however it ends.
package host
