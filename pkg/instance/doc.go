// Package instance says which machine a program runs on, what it is to do there, and
// when the cloud wants the machine back.
//
// What the settings do not name it asks of EC2's metadata service, by version 2 of it.
// It uses the standard library: three questions with a token before each are less than
// what AWS's client wants to be told, which also asks by version 1 where version 2 does
// not answer, and which the doors to AWS keep for themselves. It must never read user
// data or credentials, and never go through a proxy: what it asks is between the
// machine and itself.
package instance
