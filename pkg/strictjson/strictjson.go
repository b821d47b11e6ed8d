// Package strictjson reads JSON that people and programs send, and says in words what is
// wrong with it and where. A field that nobody knows, or that is there twice, is a
// mistake that must show: a misspelt limit would be no limit. It must never guess what
// was meant, and never says it in the words of Go.
package strictjson

import (
	"github.com/go-json-experiment/json"
)

// Read reads text, which is one document in UTF-8, into what to points to. What the
// document leaves out stays as it is there; null makes it zero. The names of fields are
// taken as they are written, capital letters included. The error is a *Fault.
func Read(text []byte, to any) error {
	if err := json.Unmarshal(text, to, json.RejectUnknownMembers(true)); err != nil {
		return newFault(text, err)
	}
	return nil
}
