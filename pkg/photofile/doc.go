// Package photofile says what a file is by its content alone, before anything of
// it is decoded: format, size in pixels, digest; and what a file may be called.
//
// It reads headers in memory-safe Go. It must never decode pixels, and never
// believe a name or a declared content type.
package photofile
