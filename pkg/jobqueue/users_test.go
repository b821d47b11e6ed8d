package jobqueue_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/testenv"
)

// A duty is what a user's own program does on the broker.
type duty struct {
	name string
	do   func(context.Context, *jobqueue.Queue) error
}

func asks(name string, do func(context.Context, *jobqueue.Queue) error) duty { return duty{name, do} }

func lease(ctx context.Context, q *jobqueue.Queue) error {
	_, _, err := q.AcquireLease(ctx, "publisher", "me")
	return errors.Join(err, q.ReleaseLease(ctx, "publisher", "me"))
}

func depth(ctx context.Context, q *jobqueue.Queue) error { _, err := q.Depth(ctx); return err }

func workers(ctx context.Context, q *jobqueue.Queue) error { _, err := q.Workers(ctx); return err }

func publishOne(t *testing.T) func(context.Context, *jobqueue.Queue) error {
	m := newMessage(t, job.LaneInteractive)
	return func(ctx context.Context, q *jobqueue.Queue) error {
		if err := q.Publish(ctx, m); err != nil {
			return err
		}
		if err := q.Publish(ctx, m); !errors.Is(err, jobqueue.ErrLive) {
			return err
		}
		return nil
	}
}

func takeOne(ctx context.Context, q *jobqueue.Queue) error {
	d, err := q.FetchWait(ctx, job.LaneCanary, soon)
	if err != nil {
		return err
	}
	return errors.Join(d.Extend(), q.DeadLetterUnknown(ctx, jobqueue.ReasonUnknown, d), d.Ack(ctx))
}

func trial(ctx context.Context, q *jobqueue.Queue) error { _, err := q.Trial(ctx); return err }

// endTrial begins one and ends it.
func endTrial(ctx context.Context, q *jobqueue.Queue) error {
	begun := time.Now().UTC()
	err := q.PutTrial(ctx, jobqueue.Trial{Worker: "w-1", BegunAt: begun, Until: begun.Add(time.Hour)})
	if err != nil {
		return err
	}
	ended, err := q.EndTrial(ctx, begun)
	if err == nil && !ended {
		err = errors.New("the trial goes on")
	}
	return err
}

// notePause says who pauses a lane, and reads it.
func notePause(ctx context.Context, q *jobqueue.Queue) error {
	err := q.NotePause(ctx, job.LaneBatch, jobqueue.LanePause{Until: time.Now().Add(time.Hour), By: "ann"})
	pauses, readErr := q.LanePauses(ctx)
	if readErr == nil && err == nil && pauses[job.LaneBatch].By != "ann" {
		err = errors.New("the note is not read")
	}
	return errors.Join(err, readErr)
}

func departure(ctx context.Context, q *jobqueue.Queue) error {
	_, _, err := q.Departure(ctx, "i-1")
	return err
}

func lastOfDoors(ctx context.Context, q *jobqueue.Queue) error {
	_, err := q.DoorReadings(ctx, "", time.Minute)
	return err
}

func beAlive(ctx context.Context, q *jobqueue.Queue) error {
	return errors.Join(q.PutWorker(ctx, jobqueue.Worker{ID: "w-1"}), q.RemoveWorker(ctx, "w-1"))
}

func reportDoor(ctx context.Context, q *jobqueue.Queue) error {
	return q.ReportDoor(ctx, jobqueue.DoorReading{Instance: "i-1"})
}

func reportWorker(ctx context.Context, q *jobqueue.Queue) error {
	return q.ReportWorker(ctx, jobqueue.WorkerReading{Worker: "w-1"})
}

func readings(ctx context.Context, q *jobqueue.Queue) error {
	_, err := q.WorkerReadings(ctx, "", time.Hour)
	_, doorErr := q.DoorReadings(ctx, "i-1", time.Hour)
	return errors.Join(err, doorErr)
}

// changePolicy does what the scaler's commands do, and says what became of it.
func changePolicy(ctx context.Context, q *jobqueue.Queue) error {
	before, err := q.ScalingPolicy(ctx)
	if err != nil {
		return err
	}
	revision, err := q.PutScalingPolicy(ctx, []byte("{}"), before.Revision)
	if err != nil {
		return err
	}
	versions, err := q.PolicyVersions(ctx)
	if err == nil && (len(versions) == 0 || versions[len(versions)-1].Revision != revision) {
		err = errors.New("the version is not among those that were put")
	}
	return errors.Join(err, q.PutAppliedPolicy(ctx, []byte("{}")), q.PutPolicyStatus(ctx, jobqueue.PolicyStatus{}))
}

// followOnce hears once who is alive.
func followOnce(ctx context.Context, q *jobqueue.Queue) error {
	ctx, stop := context.WithTimeout(ctx, soon)
	defer stop()
	heard := false
	q.FollowWorkers(ctx, func([]jobqueue.Worker) { heard = true; stop() })
	if !heard {
		return errors.New("nothing was heard")
	}
	return nil
}

// TestEveryUserDoesItsWorkAndNoOthers holds accounts.conf against what each program
// does, and against what would be another's.
func TestEveryUserDoesItsWorkAndNoOthers(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.publish(t, newMessage(t, job.LaneCanary))
	commands := []string{"maskfleet.jobs.cancel", "maskfleet.scaler.grow", "$SRV.PING"}
	for _, user := range []struct {
		name   string
		duties []duty
		// Nobody but whose work it is may publish there, or listen.
		mayNotPublish, mayNotHear []string
	}{
		{
			"setup",
			[]duty{asks("ensure", func(ctx context.Context, q *jobqueue.Queue) error { return q.Ensure(ctx) })},
			append(commands, "jobs.batch.x", "dead.internal.x", "events.audit.x", "$KV.CONFIG.features.intake", "$KV.WORKERS.w-1",
				"$JS.API.CONSUMER.MSG.NEXT.JOBS.batch", "$JS.ACK.JOBS.batch.1.1.1.1.1", "$JS.API.STREAM.PURGE.JOBS", "$JS.API.STREAM.DELETE.JOBS"),
			[]string{"jobs.>", "_INBOX_worker.>", "maskfleet.>", ">"},
		},
		{
			"ingest",
			[]duty{
				asks("publish", publishOne(t)), asks("lease", lease), asks("depth", depth), asks("workers", workers),
				asks("follow workers", followOnce), asks("report", reportDoor),
				asks("read the intake", func(ctx context.Context, q *jobqueue.Queue) error { _, err := q.Intake(ctx); return err }),
				asks("restore", func(ctx context.Context, q *jobqueue.Queue) error { return q.Restore(ctx) }),
				asks("dead letter", func(ctx context.Context, q *jobqueue.Queue) error {
					return q.DeadLetter(ctx, job.DeadLetter{PhotoID: newMessage(t, job.LaneBatch).PhotoID, Reason: job.CodeInternal})
				}),
			},
			append(commands, "events.audit.x", "$KV.CONFIG.features.intake", "$KV.WORKERS.w-1", "telemetry.fleet", "telemetry.worker.w-1", "events.fleet.spot-notice.i-1",
				"$JS.API.CONSUMER.MSG.NEXT.JOBS.batch", "$JS.ACK.JOBS.batch.1.1.1.1.1", "$JS.API.STREAM.UPDATE.JOBS",
				"$JS.API.STREAM.PURGE.JOBS", "$JS.API.STREAM.DELETE.JOBS", "$JS.API.CONSUMER.DELETE.JOBS.batch"),
			[]string{"jobs.>", "_INBOX_worker.>", "_INBOX.>", "maskfleet.>", "$KV.>"},
		},
		{
			"worker",
			[]duty{
				asks("take one", takeOne), asks("whose the canary lane is", trial), asks("be alive", beAlive), asks("report", reportWorker),
				asks("restore", func(ctx context.Context, q *jobqueue.Queue) error { return q.Restore(ctx) }),
			},
			append(commands, "jobs.batch.x", "$KV.LEASES.dispatcher", "$KV.CONFIG.features.intake", "$JS.API.STREAM.UPDATE.JOBS",
				"telemetry.fleet", "telemetry.door.i-1", "events.fleet.launched.i-1",
				"$JS.API.STREAM.PURGE.JOBS", "$JS.API.STREAM.PURGE.DEAD", "$JS.API.CONSUMER.PAUSE.JOBS.batch", "$JS.API.CONSUMER.DELETE.JOBS.batch"),
			[]string{"jobs.>", "_INBOX_ingest.>", "maskfleet.>", "events.>"},
		},
		{
			"manager",
			[]duty{
				asks("publish", publishOne(t)), asks("depth", depth), asks("workers", workers), asks("readings", readings),
				asks("begin a trial", func(ctx context.Context, q *jobqueue.Queue) error {
					return errors.Join(q.PutTrial(ctx, jobqueue.Trial{Worker: "w-1"}), trial(ctx, q))
				}),
				asks("end a trial", endTrial), asks("say who pauses a lane", notePause),
				asks("how an instance left", departure), asks("what the doors told last", lastOfDoors),
				asks("count dead letters", func(ctx context.Context, q *jobqueue.Queue) error { _, err := q.DeadLetters(ctx); return err }),
				asks("pause a lane", func(ctx context.Context, q *jobqueue.Queue) error {
					return errors.Join(q.PauseLane(ctx, job.LaneBatch, time.Now().Add(time.Hour)), q.ResumeLane(ctx, job.LaneBatch))
				}),
				asks("pause the intake", func(ctx context.Context, q *jobqueue.Queue) error {
					_, err := q.Intake(ctx)
					return errors.Join(err, q.SetIntake(ctx, jobqueue.Intake{}))
				}),
				asks("read a timeline", func(ctx context.Context, q *jobqueue.Queue) error {
					_, err := q.Timeline(ctx, newMessage(t, job.LaneBatch).PhotoID)
					return err
				}),
				asks("discard", func(ctx context.Context, q *jobqueue.Queue) error {
					_, err := q.CountDeadLetters(ctx, "expired")
					return errors.Join(err, q.DiscardDeadLetters(ctx, "expired", ""))
				}),
			},
			[]string{
				"dead.internal.x", "$KV.WORKERS.w-1", "$KV.LEASES.scaler", "$KV.CONFIG.scaling.policy", "telemetry.fleet",
				"$JS.API.CONSUMER.MSG.NEXT.JOBS.batch", "$JS.ACK.JOBS.batch.1.1.1.1.1", "$JS.API.STREAM.UPDATE.JOBS",
				"$JS.API.STREAM.PURGE.JOBS", "$JS.API.STREAM.DELETE.JOBS",
			},
			[]string{"jobs.>", "_INBOX_worker.>", "_INBOX.>", "maskfleet.>", "events.>"},
		},
		{
			"scaler",
			[]duty{
				asks("lease", lease), asks("depth", depth), asks("workers", workers), asks("readings", readings), asks("follow workers", followOnce),
				asks("change the policy", changePolicy), asks("whose the canary lane is", trial),
			},
			append(commands, "jobs.batch.x", "dead.internal.x", "telemetry.worker.w-1", "telemetry.door.i-1", "$KV.WORKERS.w-1", "$KV.CONFIG.features.intake",
				"$JS.API.CONSUMER.MSG.NEXT.JOBS.batch", "$JS.ACK.JOBS.batch.1.1.1.1.1", "$JS.API.STREAM.CREATE.MINE", "$JS.API.STREAM.PURGE.JOBS"),
			[]string{"jobs.>", "_INBOX_worker.>", "maskfleet.>"},
		},
		{
			"operator",
			[]duty{asks("depth", depth), asks("workers", workers), asks("readings", readings)},
			[]string{
				"jobs.batch.x", "dead.internal.x", "events.audit.x", "$KV.WORKERS.w-1", "$KV.LEASES.scaler", "$KV.CONFIG.scaling.policy.applied",
				"$JS.API.CONSUMER.CREATE.JOBS.spy", "$JS.API.CONSUMER.MSG.NEXT.JOBS.batch", "$JS.ACK.JOBS.batch.1.1.1.1.1",
				"$JS.API.STREAM.CREATE.MINE", "$JS.API.STREAM.UPDATE.JOBS", "$JS.API.STREAM.PURGE.JOBS", "$JS.API.STREAM.DELETE.JOBS",
				"$JS.API.STREAM.MSG.DELETE.JOBS", "$JS.API.CONSUMER.DELETE.JOBS.batch",
			},
			[]string{"jobs.>", "_INBOX_worker.>", "maskfleet.>"},
		},
		{"worker-commands", nil, append(commands, "jobs.batch.x", "$JS.API.INFO", "events.audit.x"), []string{"maskfleet.jobs.>", "maskfleet.scaler.>", "_INBOX.>"}},
		{"manager-commands", nil, append(commands, "jobs.batch.x", "$JS.API.INFO"), []string{"maskfleet.worker.>", "maskfleet.scaler.>", "_INBOX.>"}},
		{"scaler-commands", nil, append(commands, "jobs.batch.x", "$JS.API.INFO"), []string{"maskfleet.worker.>", "maskfleet.jobs.>", "_INBOX.>"}},
	} {
		t.Run(user.name, func(t *testing.T) {
			t.Parallel()
			cfg := b.server.As(user.name)
			for _, duty := range user.duties {
				if err := duty.do(t.Context(), open(t, cfg)); err != nil {
					t.Errorf("%s: %v", duty.name, err)
				}
			}
			stranger := newRefused(t, cfg)
			for _, subject := range user.mayNotPublish {
				stranger.publish(t, subject)
			}
			for _, subject := range user.mayNotHear {
				stranger.listen(t, subject)
			}
		})
	}
}

// refused is a connection that should be told no.
type refused struct {
	*nats.Conn
	told chan error
}

func newRefused(t *testing.T, cfg jobqueue.Config) refused {
	t.Helper()
	told := make(chan error, 100)
	nc, err := nats.Connect(cfg.URL, nats.UserInfo(cfg.User, cfg.Password),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { told <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return refused{nc, told}
}

func (r refused) publish(t *testing.T, subject string) {
	t.Helper()
	if err := r.Publish(subject, nil); err != nil {
		t.Fatal(err)
	}
	r.wantNo(t, "publishes", subject)
}

func (r refused) listen(t *testing.T, subject string) {
	t.Helper()
	if _, err := r.SubscribeSync(subject); err != nil {
		t.Fatal(err)
	}
	r.wantNo(t, "listens", subject)
}

// wantNo: the broker says no before it answers the ping of a flush.
func (r refused) wantNo(t *testing.T, does, subject string) {
	t.Helper()
	if err := r.FlushTimeout(soon); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-r.told:
		if !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), subject) {
			t.Errorf("%s at %s: told %v", does, subject, err)
		}
	case <-time.After(soon):
		t.Errorf("%s at %s unhindered", does, subject)
	}
}

// TestServicesChangeNoStream: what setup made stays, whatever build a service is of.
func TestServicesChangeNoStream(t *testing.T) {
	t.Parallel()
	b := start(t)
	cfg := b.server.As("worker")
	cfg.MaxMessages = 7
	if err := open(t, cfg).Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	stream, err := b.jetStream(t).Stream(t.Context(), jobqueue.StreamJobs)
	if err != nil {
		t.Fatal(err)
	}
	if got := stream.CachedInfo().Config.MaxMsgs; got != b.cfg.MaxMessages {
		t.Errorf("JOBS now takes %d messages, want %d as before", got, b.cfg.MaxMessages)
	}
}

// TestProductionConfigurationStarts reads it as nats-server does.
func TestProductionConfigurationStarts(t *testing.T) {
	for _, user := range []string{"SETUP", "INGEST", "WORKER", "MANAGER", "SCALER", "OPERATOR"} {
		t.Setenv("NATS_"+user+"_PASSWORD", `"2of`+user+`"`) // begins like a number
	}
	options, err := server.ProcessConfigFile(filepath.Join("..", "..", "deployments", "nats", "nats-server.conf"))
	if err != nil {
		t.Fatal(err)
	}
	options.Host, options.Port, options.HTTPPort, options.StoreDir = "127.0.0.1", server.RANDOM_PORT, 0, t.TempDir()
	options.NoSigs, options.NoLog = true, true
	production, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	production.Start()
	t.Cleanup(func() { production.Shutdown(); production.WaitForShutdown() })
	if !production.ReadyForConnections(soon) {
		t.Fatal("the broker is not ready")
	}
	cfg := testenv.NATSLogin(t, 0, "setup")
	cfg.URL, cfg.Password = production.ClientURL(), "2ofSETUP"
	if err := open(t, cfg).Ensure(t.Context()); err != nil {
		t.Error(err)
	}
}
