package jobqueue_test

import (
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

func TestPausedLaneGivesNothing(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := newMessage(t, job.LaneBatch)
	b.publish(t, m)
	if err := b.PauseLane(t.Context(), job.LaneBatch, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	b.server.Restart()
	b.untilBack(t)
	if d, err := b.FetchNow(t.Context(), job.LaneBatch); d != nil || err != nil {
		t.Errorf("a paused lane gave %v, %v", d, err)
	}
	depths, err := b.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := depths[job.LaneBatch]; d.Pending != 1 || d.Paused < 30*time.Minute || d.Paused > time.Hour {
		t.Errorf("depth of the paused lane is %+v", d)
	}
	if d := depths[job.LaneInteractive]; d.Paused != 0 {
		t.Errorf("another lane is paused for %s", d.Paused)
	}
	if err := b.ResumeLane(t.Context(), job.LaneBatch); err != nil {
		t.Fatal(err)
	}
	ack(t, b.take(t, job.LaneBatch))
}

func TestForgottenPauseEnds(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.publish(t, newMessage(t, job.LaneBatch))
	if err := b.PauseLane(t.Context(), job.LaneBatch, time.Now().Add(500*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	ack(t, b.take(t, job.LaneBatch)) // waits
}

func TestIntakeIsKeptOnTheBroker(t *testing.T) {
	t.Parallel()
	b := start(t)
	if i, err := b.Intake(t.Context()); err != nil || i.Paused(time.Now()) {
		t.Errorf("at first: %+v, %v", i, err)
	}
	want := jobqueue.Intake{PausedUntil: time.Now().Add(time.Hour).UTC().Truncate(time.Second), Reason: "move", By: "ann"}
	if err := b.SetIntake(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	b.server.Restart()
	b.untilBack(t)
	if got, err := b.Intake(t.Context()); err != nil || got != want || !got.Paused(time.Now()) || got.Paused(want.PausedUntil) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	config, err := b.jetStream(t).KeyValue(t.Context(), jobqueue.BucketConfig)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.PutString(t.Context(), "features.intake", "closed"); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Intake(t.Context()); err == nil {
		t.Errorf("of a value typed by hand it read %+v", got)
	}
	if err := b.SetIntake(t.Context(), jobqueue.Intake{}); err != nil {
		t.Fatal(err)
	}
	if i, err := b.Intake(t.Context()); err != nil || i.Paused(time.Now()) {
		t.Errorf("opened: %+v, %v", i, err)
	}
}

func TestTimelineIsOfOnePhotoInOrder(t *testing.T) {
	t.Parallel()
	b := start(t)
	mine, other := newMessage(t, job.LaneBatch).PhotoID, newMessage(t, job.LaneBatch).PhotoID
	stages := []jobqueue.Stage{jobqueue.StageAccepted, jobqueue.StageClaimed, jobqueue.StageFinished}
	for _, stage := range stages {
		b.Announce(t.Context(), other, stage, nil)
		b.Announce(t.Context(), mine, stage, map[string]int{"attempt": 1})
	}
	var got []jobqueue.Event
	eventually(t, "all told", func() bool {
		var err error
		got, err = b.Timeline(t.Context(), mine)
		return err == nil && len(got) == len(stages)
	})
	for i, e := range got {
		if e.PhotoID != mine || e.Stage != stages[i] || string(e.Fields) != `{"attempt":1}` {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	if none, err := b.Timeline(t.Context(), newMessage(t, job.LaneBatch).PhotoID); err != nil || len(none) > 0 {
		t.Errorf("of a photo that nobody knows: %v, %v", none, err)
	}
}

func TestDiscardedLettersAreGone(t *testing.T) {
	t.Parallel()
	b := start(t)
	var ids []job.ID
	for _, reason := range []job.Code{job.CodeExpired, job.CodeInternal, job.CodeInternal} {
		id := newMessage(t, job.LaneBatch).PhotoID
		ids = append(ids, id)
		if err := b.DeadLetter(t.Context(), job.DeadLetter{PhotoID: id, Publication: 1, Reason: reason}); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		reason, photo string
		want, left    int
	}{
		{"", ids[2].String(), 1, 2},
		{"internal", ids[0].String(), 0, 2},
		{"internal", "", 1, 1},
		{"internal", "", 0, 1},
	} {
		before, countErr := b.DeadLetters(t.Context())
		if countErr != nil {
			t.Fatal(countErr)
		}
		err := b.DiscardDeadLetters(t.Context(), step.reason, step.photo)
		left, countErr := b.DeadLetters(t.Context())
		if err != nil || countErr != nil || before-left != step.want || left != step.left {
			t.Errorf("%+v: discarded %d, left %d, %v, %v", step, before-left, left, err, countErr)
		}
	}
	if n, err := b.CountDeadLetters(t.Context(), "expired"); n != 1 || err != nil {
		t.Errorf("counted %d letters, %v, want one", n, err)
	}
	msgs, err := b.jetStream(t).Stream(t.Context(), jobqueue.StreamDead)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := msgs.GetLastMsgForSubject(t.Context(), "dead.expired.>"); err != nil {
		t.Errorf("the letter that should stay: %v", err)
	}
}

// TestDeparture: how an instance left is told until it comes back.
func TestDeparture(t *testing.T) {
	t.Parallel()
	b := start(t)
	at := time.Now().UTC().Truncate(time.Second)
	tell := func(what jobqueue.FleetEvent, by, why string) {
		b.AnnounceFleet(t.Context(), what, "i-1", map[string]any{"at": at, "by": by, "why": why})
		b.AnnounceFleet(t.Context(), what, "i-2", map[string]any{"at": at, "why": "another's"})
	}
	for _, step := range []struct {
		what    jobqueue.FleetEvent
		by, why string
		want    jobqueue.Departure
		told    bool
	}{
		{what: jobqueue.EventLaunched, why: "4 are wanted"},
		{jobqueue.EventRetiring, "ann", "its disk is full", jobqueue.Departure{BegunAt: at, By: "ann", Why: "its disk is full"}, true},
		{what: jobqueue.EventEnded, want: jobqueue.Departure{BegunAt: at, EndedAt: at, By: "ann", Why: "its disk is full"}, told: true},
		{what: jobqueue.EventLaunched, why: "it was stopped, and is wanted again"},
	} {
		tell(step.what, step.by, step.why)
		eventually(t, string(step.what)+" is told", func() bool {
			got, told, err := b.Departure(t.Context(), "i-1")
			return err == nil && told == step.told && got == step.want
		})
	}
}
