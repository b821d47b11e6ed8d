// Package webhook is the form of a webhook, Standard Webhooks 1.0: which events there
// are, what stands in their bodies, how they are signed and verified, when a failed
// one is tried again, and the client that posts them.
//
// It must never post to a private, loopback or link-local address that is not named
// in Config.Allow, follow a redirect, or put more into a body than identities, states,
// counts and links. It keeps nothing: what is delivered is for pkg/jobstore to know.
package webhook
