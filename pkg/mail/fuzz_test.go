package mail

import (
	"strings"
	"testing"
)

// FuzzValidAddress: no address that is taken can add a header or a second receiver.
func FuzzValidAddress(f *testing.F) {
	for _, seed := range []string{"ann@site.example", "Ann <ann@site.example>", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example", `"a\r\nb"@c.example`, `" "@a.example`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if ValidAddress(text) && strings.ContainsAny(text, "\r\n\x00,;<>") {
			t.Errorf("%q is taken", text)
		}
	})
}
