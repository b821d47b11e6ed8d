package scaler_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go/micro"
)

// TestTwoScalers: one answers for the fleet, the other is seen to stand by, with its own
// status, until it is its turn.
func TestTwoScalers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	stop := w.scale(t)
	o := w.operator(t)
	leader := o.says().Scaler
	w.scale(t)
	var waits micro.Info
	eventually(t, "one stands by", func() bool {
		msg, err := o.nc.Request("$SRV.INFO.maskfleet-scaler-standby", nil, patience)
		if err != nil {
			return false
		}
		waits = micro.Info{}
		return json.Unmarshal(msg.Data, &waits) == nil && waits.Metadata["scaler"] != leader && len(waits.Endpoints) == 1
	})
	second := waits.Metadata["scaler"]
	var s scalerStatus
	o.does(second+".status", ``, &s)
	if s.Leading || s.Scaler != second || len(s.Readings) != 5 {
		t.Errorf("who stands by says %+v", s)
	}
	for range 5 {
		if s := o.says(); !s.Leading || s.Scaler != leader {
			t.Fatalf("the fleet's status is %+v, want that of %s", s, leader)
		}
	}
	stop()
	eventually(t, "the second answers", func() bool {
		msg, err := o.nc.Request("maskfleet.scaler.status", nil, patience)
		var s scalerStatus
		return err == nil && json.Unmarshal(msg.Data, &s) == nil && s.Leading && s.Scaler == second
	})
	eventually(t, "nobody stands by", func() bool {
		_, err := o.nc.Request("$SRV.PING.maskfleet-scaler-standby", nil, time.Second)
		return err != nil
	})
}
