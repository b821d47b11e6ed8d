// Package cloudwatch stands in for CloudWatch's metrics: what programs put, what EC2
// and load balancing say of instances and targets, and questions about both. It keeps
// a day of minutes and an hour of seconds, on disk too, within fixed bounds.
//
// A number can be read the moment it was put, which on AWS takes a minute or two.
package cloudwatch
