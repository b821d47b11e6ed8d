package inferenceworker

import (
	"context"
	"testing"
)

// TestGateEndsAndBeginsPulling: nobody pulls once a drain is answered, and a resume
// begins anew.
func TestGateEndsAndBeginsPulling(t *testing.T) {
	t.Parallel()
	var g gate
	ctx, stop := context.WithCancel(t.Context())
	rounds, ended := make(chan context.Context), make(chan struct{})
	go func() {
		defer close(ended)
		g.whileOpen(ctx, func(round context.Context) {
			rounds <- round
			<-round.Done()
		})
	}()
	first := <-rounds
	if !g.shut() || g.shut() || !g.isClosed() {
		t.Error("the gate does not say how it was")
	}
	<-first.Done()
	select {
	case <-rounds:
		t.Fatal("pulls behind a closed gate")
	default:
	}
	if !g.open() {
		t.Error("the gate was not closed")
	}
	second := <-rounds
	g.shut()
	g.open()
	<-second.Done()
	third := <-rounds
	stop()
	<-third.Done()
	<-ended
}

func TestClosedGateEndsWithItsContext(t *testing.T) {
	t.Parallel()
	var g gate
	g.shut()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.whileOpen(ctx, func(context.Context) { t.Error("pulls behind a closed gate") })
	}()
	stop()
	<-ended
}
