package contract_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain runs more tests side by side than there are cores: they wait most of the
// time.
func TestMain(m *testing.M) {
	flag.Parse()
	const atOnce = "8"
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
