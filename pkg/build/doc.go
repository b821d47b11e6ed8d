// Package build says what the running program was built from. It must never decide
// anything by it.
package build
