// Package jobstore is the durable record of the product, in MySQL: who may come
// in, every photo accepted and how far it got, its faces, and what was audited.
// The row of a photo is the promise that it reaches a terminal state.
//
// It is the only door to MySQL: no other package imports a driver, database/sql
// or goose. It must never decide what a transition means (package job does), talk
// to another store, or use SQL that only one of MySQL 8 and MariaDB 10.11
// understands. Every statement that changes a photo stands in transitions.go.
//
// Run times and leases are judged by the database's clock alone.
package jobstore
