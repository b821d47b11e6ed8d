// Package job is the vocabulary of the pipeline: a photo and its states, the
// table of the transitions between them, the message that stands for a photo on
// the broker, its result and the ways it can fail.
//
// It gives names and pure rules, and must never do I/O, read a clock or import
// another package of this product but strictjson, which knows nothing of it; every
// package may import it. docs/glossary.md explains its words.
package job
