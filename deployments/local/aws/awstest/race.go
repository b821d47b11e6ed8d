//go:build race

package awstest

// flavour of the programs that a test starts.
const flavour = "-race"
