// Package cache is the door to Redis: finished results, notices that a photo is
// done, sessions and rate limits.
//
// Everything in it may vanish at any moment, and nothing but speed may be lost by
// it, except that people log in again. So it must never hold the only copy of
// anything, and a Redis that is away must never stop a caller: every call gives up
// within Config.Timeout with ErrUnavailable. It alone imports go-redis.
package cache
