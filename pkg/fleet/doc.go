// Package fleet is the door to EC2, its load balancers and CloudWatch: it lists the
// instances of one pool, adds some, stops and ends some, and puts them before and
// behind the balancer.
//
// It must never decide how many instances there should be (the scaler does), touch an
// instance without the pool's tag, start a call that its caller's lease may not
// outlast, or launch anything that was not written down before. It alone imports
// AWS's clients of these services; everybody who does anything with it must hold the
// scaler's lease.
//
// What AWS answers may be minutes old: what was launched counts before EC2 shows it,
// what was ended does not although EC2 still shows it, and a list that is empty by
// mistake is an error and never an empty fleet.
//
// What a caller gets: Instances gives what there is and never asks for a lease. Grow,
// Stop and Terminate give what was done beside the error that tells of the rest, so
// look at both; Register and Deregister name in theirs the instances that were not
// taken. Nothing of it waits for an instance to boot or to end, but one call may take
// twice Config.CallTimeout, and a growth that is refused in one zone after the other
// several: do not let a loop that must go on wait for a change. After a change, act
// only on a listing that is younger, by Listing.At. How instances leave, from drain to
// deregistration to their end, is the caller's to order.
package fleet
