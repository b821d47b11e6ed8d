package fleet

import (
	"fmt"
	"time"
)

// Lease is a caller's right to change the fleet, as it stands at the moment of the
// call.
type Lease struct {
	Epoch uint64    // grows with every renewal, and never comes again
	Until time.Time // from then on another may act
}

// outlasts says whether the lease holds for the whole of a call that starts now.
func (l Lease) outlasts(call time.Duration) error {
	if left := time.Until(l.Until); left <= call {
		return fmt.Errorf("%w: %s are left, and it may take %s", ErrLease, left.Round(time.Millisecond), call)
	}
	return nil
}
