// Package manager is the operators' dashboard, who works, what waits, what failed, and
// the answers to their commands about jobs, lanes, the intake and erasures (commands.go).
// A page's button asks for such a command like anybody else (button.go).
//
// It shows readings that one loop for each takes, never a query for each browser,
// and says of every reading how old it is; a part that does not answer turns grey
// and takes nothing else with it. It changes nothing but what a command asks for, by
// the lines of the row protocol that are a person's. Only its program and the
// end-to-end tests may import it.
package manager
