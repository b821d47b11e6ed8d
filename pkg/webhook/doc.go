// Package webhook is the form of a webhook, Standard Webhooks 1.0: which events there
// are and who wants them, what stands in their bodies, how they are signed and
// verified, and when a failed one is tried again.
//
// It must never put more into a body than identities, states, counts and links. It
// keeps nothing and sends nothing: see pkg/jobstore for what is to be delivered, and
// package poster for the way out.
package webhook
