// Package command is the frame of every command that an operator can type: a
// request to "maskfleet.…", JSON in and JSON out, answered by a service of NATS' micro
// framework, so that `nats micro ls`, `info` and `stats` show who answers and how.
//
// A refused command is a problem.Document, its code and sentence stand in the
// framework's headers. A command that changes something takes "dry_run", says then
// what it would do, and is written into the audit log when it does it.
//
// Who asks is what the broker says of the connection, never what the message says; a
// name in a header is believed of the manager alone, whose pages ask for people. A
// request that the broker has not marked is refused. See docs/decisions/0011-commands.md.
package command
