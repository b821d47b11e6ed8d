// Package keep keeps what the stand-in must know after it was killed: one value in
// one file, replaced as a whole.
package keep
