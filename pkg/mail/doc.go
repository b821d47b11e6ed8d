// Package mail sends the few messages that the product writes to its people.
//
// It turns a Message into a mail and hands it to one SMTP server. It must never
// decide who gets a message, keep one, or log what stands in it: a message may hold
// a link that opens an account.
package mail
