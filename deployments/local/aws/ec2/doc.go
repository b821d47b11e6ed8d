// Package ec2 stands in for EC2: what the API remembers of instances, images, types
// and launch templates, and the states an instance goes through. The instances
// themselves run at a host, which goes on when this process is killed.
//
// It does what EC2's documentation says, errors and their codes included, and refuses
// what it does not know.
package ec2
