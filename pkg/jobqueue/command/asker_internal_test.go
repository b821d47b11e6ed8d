package command

import (
	"testing"

	"github.com/nats-io/nats.go/micro"
)

// TestMarksOfNoAsker: what the broker may say of a connection that no asker has.
func TestMarksOfNoAsker(t *testing.T) {
	t.Parallel()
	for mark, want := range map[string]string{
		`{"acc":"MASKFLEET","user":"operator","kind":"Client"}`:        "operator",
		`{"acc":"COMMANDS","user":"manager-commands","kind":"Client"}`: "",
		`{"acc":"MASKFLEET","user":"operator","kind":"JetStream"}`:     "",
		`{"acc":"MASKFLEET","user":"operator"}`:                        "", // an import that does not share
		`{"acc":"MASKFLEET","kind":"Client"}`:                          "",
		`{"acc":"$G","kind":"Client"}`:                                 "",
		`operator`:                                                     "",
	} {
		asker, err := askerOf(micro.Headers{infoHeader: {mark}})
		if asker.Name != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %+v, %v, want %q", mark, asker, err, want)
		}
	}
}
