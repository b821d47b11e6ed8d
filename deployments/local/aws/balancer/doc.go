// Package balancer drives a running HAProxy through its runtime socket: servers come
// and go in one of its backends without a reload, and HAProxy's own checks say how
// they are. It keeps nothing: what is true stands in HAProxy.
package balancer
