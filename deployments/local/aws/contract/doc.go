// Package contract holds what the product relies on of EC2, Elastic Load Balancing
// and CloudWatch, as tests through AWS's own client. They run against the stand-in,
// and against a real account where CONTRACT_AWS=real is set: what passes here and
// fails there is a fault of the stand-in.
//
// It has no code but its tests, which alone in deployments/local compile the
// clients of AWS: two minutes on a cold machine.
package contract
