// Package elb stands in for Elastic Load Balancing, version 2: application load
// balancers with one listener on each port that a real balancer was handed for, target
// groups of instances, and the health of targets as that balancer sees it.
//
// What was registered is kept here, how a target is doing is always asked. Both may be
// killed and started again in any order: one brings the other up to date.
package elb
