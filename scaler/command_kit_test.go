package scaler_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/scaler/decide"
)

// operator types commands, with the permissions of people.
type operator struct {
	*world
	t  *testing.T
	nc *nats.Conn
}

// operator waits until somebody leads and has looked.
func (w *world) operator(t *testing.T) operator {
	t.Helper()
	cfg := w.broker.As("operator")
	nc, err := nats.Connect(cfg.URL, nats.UserInfo(cfg.User, cfg.Password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	o := operator{w, t, nc}
	eventually(t, "a scaler leads", func() bool {
		msg, err := nc.Request("maskfleet.scaler.status", nil, patience)
		var s scalerStatus
		return err == nil && json.Unmarshal(msg.Data, &s) == nil && s.Decision != nil
	})
	return o
}

type scalerStatus struct {
	Leading       bool
	Scaler        string
	Fleet         map[string]int
	Decision      *decide.Decision
	Policy        decide.Policy
	Young         int
	YoungUntil    time.Time `json:"young_until"`
	PolicyRefusal string    `json:"policy_refusal"`
	Readings      []struct{ Reading string }
}

// sized is what commands about the size answer.
type sized struct {
	DryRun            bool `json:"dry_run"`
	Was, Size, Launch int
	Recall, Retire    []string
	Young             int
	YoungUntil        time.Time `json:"young_until"`
	Override          *decide.Override
	Ended             []decide.Override
	Version           int
	Revision          uint64
	Notes             []string
}

// does types a command that must be done, and reads its answer.
func (o operator) does(subject, request string, answer any) {
	o.t.Helper()
	if p := o.asks(subject, request, answer); p != nil {
		o.t.Fatalf("%s %s: %s %s", subject, request, p.Code, p.Detail)
	}
}

// sizes types a command about the size.
func (o operator) sizes(subject, request string) (answer sized) {
	o.t.Helper()
	o.does(subject, request, &answer)
	return answer
}

// isTold types a command that must be refused, and wants the words in the sentence.
func (o operator) isTold(status int, subject, request string, words ...string) {
	o.t.Helper()
	p := o.asks(subject, request, nil)
	if p == nil || p.Status != status {
		o.t.Errorf("%s %s: told %+v, want %d", subject, request, p, status)
		return
	}
	for _, word := range words {
		if !strings.Contains(p.Detail, word) {
			o.t.Errorf("%s %s: told %q, want %q in it", subject, request, p.Detail, word)
		}
	}
}

// asks gives the refusal, if it is one.
func (o operator) asks(subject, request string, answer any) *problem.Document {
	o.t.Helper()
	msg, err := o.nc.Request("maskfleet.scaler."+subject, []byte(request), patience)
	if err != nil {
		o.t.Fatalf("%s %s: %v", subject, request, err)
	}
	if msg.Header.Get(micro.ErrorCodeHeader) != "" {
		var p problem.Document
		if err := json.Unmarshal(msg.Data, &p); err != nil {
			o.t.Fatalf("%s %s: %s: %v", subject, request, msg.Data, err)
		}
		return &p
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(msg.Data, answer); err != nil {
		o.t.Fatalf("%s %s: %s: %v", subject, request, msg.Data, err)
	}
	return nil
}

// says is the status.
func (o operator) says() (s scalerStatus) {
	o.t.Helper()
	o.does("status", ``, &s)
	return s
}

func (o operator) untilFleet(ready int) {
	o.t.Helper()
	eventually(o.t, fmt.Sprintf("%d instances are ready", ready), func() bool {
		s := o.says()
		return s.Fleet["ready"] == ready && s.Fleet["starting"] == 0 && s.Fleet["draining"] == 0 && o.up(o.t) == ready
	})
}

// untilFollowed waits until a tick was made by that version.
func (o operator) untilFollowed(version int) {
	o.t.Helper()
	eventually(o.t, fmt.Sprintf("version %d is followed", version), func() bool { return o.says().Decision.Version == version })
}

func (o operator) audit() []jobstore.Audit {
	o.t.Helper()
	records, err := o.store.ListAudit(o.t.Context(), 100)
	if err != nil {
		o.t.Fatal(err)
	}
	return records
}

// hears subscribes to what is told of the fleet.
func (o operator) hears(subject string) func() []byte {
	o.t.Helper()
	told, err := o.nc.SubscribeSync(subject)
	if err == nil {
		err = o.nc.FlushTimeout(patience)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return func() []byte {
		o.t.Helper()
		msg, err := told.NextMsg(patience)
		if errors.Is(err, nats.ErrTimeout) {
			o.t.Fatalf("nothing was told at %s", subject)
		}
		if err != nil {
			o.t.Fatal(err)
		}
		return msg.Data
	}
}

func near(at, wanted time.Time) bool { return at.Sub(wanted).Abs() < patience }
