// Package spawn starts children that die with this process, however it ends. It
// must not be used for one that is to outlive it.
package spawn
