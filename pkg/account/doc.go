// Package account says who somebody is: passwords, log-ins, sessions and API keys.
//
// It must never log or store a password, a session's token or an API key, nor say
// by its answer or by the time it takes whether an account exists. What an account
// may do is decided by those who ask.
package account
