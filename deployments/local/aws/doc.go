// Package aws is the part of AWS that the fleet needs, on loopback: EC2 whose
// instances are processes, Elastic Load Balancing before a real HAProxy, and
// CloudWatch. Clients are told its address and keys and cannot tell it from AWS by
// more than what docs/aws.md lists.
//
// It is two processes: the API, which may be killed and started again at any time,
// and the host under the instances, with which they end. It must import nothing of
// the product, so that the product's mistakes about AWS are not its own.
package aws
