// Package poster posts webhooks to whoever asked for them.
//
// It must never post to a private, loopback or link-local address that is not named
// in Config.Allow, and to the metadata addresses of clouds not even then; the address
// is checked at the moment it is dialled. It follows no redirect and no proxy, sends
// nothing but the message, and does not wait for an answer longer than Config.Timeout.
package poster
