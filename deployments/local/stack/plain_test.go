//go:build !race

package stack_test

const bin = "../../../.local/bin"

func flavour() []string { return nil }
