// Package submission submits a set of photos as one batch, and never as two: what
// was done is written to a journal before the next step, so that a submission which
// was interrupted anywhere goes on where it was when it is begun again with the same
// arguments.
//
// It finds photos by their content, sends them to signed links side by side, and
// names them in a manifest. It must not touch what it submits, and writes below the
// folder it is given only.
package submission
