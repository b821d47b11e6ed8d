// Package manager is the operators' dashboard: who works, what waits, what failed.
//
// It shows readings that one loop for each takes, never a query for each browser,
// and says of every reading how old it is; a part that does not answer turns grey
// and takes nothing else with it. It changes nothing by itself. Only its program and
// the end-to-end tests may import it.
package manager
