// Package estimate says how long what waits has still to wait, and what comes now would:
// to whoever sent it, at the front door, and to operators. Both ask here, so that no two
// answers differ. It goes by what waits in MySQL, by the workers that are there, and by
// how fast photos were looked at in the last minute.
package estimate
