// Package linkfetch fetches a photo from a link that a stranger gave.
//
// The address of every connection, also after a redirect and whatever its name
// resolved to a moment ago, is checked at the moment it is dialled. It must never
// reach a private, loopback or link-local address that is not named in
// Config.Allow, and the metadata addresses of clouds not even then. It sends no
// cookies, no credentials, no referrer and nothing of the product, and follows no
// proxy. Webhooks go out through the same guard; see Dialer.
package linkfetch
