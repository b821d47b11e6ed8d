//go:build race

package stack_test

// The programs that tests start are of the tests' own flavour, so that a cold
// machine compiles one flavour only.
const bin = "../../../.local/bin-race"

func flavour() []string { return []string{"-race"} }
