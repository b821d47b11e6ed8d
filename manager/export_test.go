package manager

import (
	"maskfleet/pkg/jobstore"
)

// Address is what tests may know of a route.
type Address struct{ Method, Path, Least string }

// Addresses are those of all pages and their buttons.
func Addresses() []Address {
	var all []Address
	for _, r := range (&Service{}).pages() {
		all = append(all, Address{r.method, r.path, r.least})
	}
	return all
}

// May says whether a role may do what takes another.
func May(role, least string) bool { return may(jobstore.User{Role: role}, least) }

// Check is validate, for tests.
func (c ConsoleConfig) Check() error { return c.validate() }
