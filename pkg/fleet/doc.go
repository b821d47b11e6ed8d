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
package fleet
