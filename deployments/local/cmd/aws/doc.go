// Command aws is AWS on loopback. `aws host` runs the machines under the instances,
// `aws api` answers clients; see docs/aws.md. It must never be part of a deployment.
package main
