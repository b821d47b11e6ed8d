// Package login is how a person gets into a site: its log-in page, the session
// cookie, and the guard before every other page.
//
// It must never say whether an account exists, and never let a log-in pass that it
// could not count. What somebody may do once inside is not decided here, but for
// the site's own rule of whom it lets in.
package login
