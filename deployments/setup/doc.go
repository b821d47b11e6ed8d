// Command setup is the one explicit step of a deployment before its services
// start: tables, streams, bucket, and at the very first time an administrator.
// It can be repeated, also by many at once, and changes nothing that is right.
//
// It must never run as part of a service: replicas that migrate at their start
// would race, and would need rights that services must not have.
package main
