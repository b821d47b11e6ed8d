package jobqueue

import (
	"cmp"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"maskfleet/pkg/job"
)

const (
	day = 24 * time.Hour
	mib = 1 << 20

	// Every stream has a limit and the broker reserves it; beside JOBS they come to
	// 1.4 GiB.
	deadBytes       = 256 * mib
	eventBytes      = 768 * mib
	advisoryBytes   = 64 * mib
	telemetryBytes  = 256 * mib
	configBytes     = 32 * mib
	workerBytes     = 32 * mib
	leaseBytes      = 8 * mib
	maxMessageBytes = 64 << 10 // ids and trace context; a photo's bytes never

	configHistory = 64
	// inFlightLimit stands for none: the fleet's slots are the limit, and photos put
	// back with a delay count here too. The default of 1000 would stall the fleet.
	inFlightLimit  = 100_000
	maxIdlePulls   = 4096 // one a worker and lane
	noLimit        = -1
	deliverForEver = -1 // attempts are counted in the row
)

func (q *Queue) streams() []jetstream.StreamConfig {
	jobs := jetstream.StreamConfig{
		Name:        StreamJobs,
		Description: "photos waiting for a worker",
		Retention:   jetstream.WorkQueuePolicy,
		Discard:     jetstream.DiscardNew, // a full queue refuses; it never drops what it took
		MaxMsgs:     q.cfg.MaxMessages,
		MaxBytes:    q.cfg.MaxBytes,
		MaxMsgSize:  maxMessageBytes,
		Duplicates:  q.cfg.DuplicateWindow,
		AllowDirect: true,
	}
	for _, lane := range job.Lanes() {
		jobs.Subjects = append(jobs.Subjects, laneSubjects(lane))
	}
	dead := history(StreamDead, "photos that failed for good", 30*day, deadBytes, deadSubject("*", "*"))
	dead.Duplicates = q.cfg.DuplicateWindow
	all := []jetstream.StreamConfig{
		jobs,
		dead,
		history(StreamEvents, "what happened, for live pages", 7*day, eventBytes, eventSubjects()...),
		history(StreamAdvisories, "the broker's own reports of trouble", 7*day, advisoryBytes, advisorySubjects()...),
		history(StreamTelemetry, "readings for charts and the scaler", day, telemetryBytes, telemetrySubjects()...),
		bucket(BucketConfig, "live policy and features", 0, configHistory, configBytes),
		bucket(BucketWorkers, "who is alive", q.cfg.PresenceTTL, 1, workerBytes),
		q.leases(),
	}
	for i := range all {
		all[i].Storage, all[i].Replicas = jetstream.FileStorage, q.cfg.Replicas
		all[i].MaxConsumers = noLimit
		all[i].MaxMsgs = cmp.Or(all[i].MaxMsgs, noLimit)
		all[i].MaxMsgsPerSubject = cmp.Or(all[i].MaxMsgsPerSubject, noLimit)
	}
	return all
}

// leases begins its revisions at the time of its making: after the loss of the
// broker's store they go on above every revision given out before.
func (q *Queue) leases() jetstream.StreamConfig {
	c := bucket(BucketLeases, "who acts for all", q.cfg.PresenceTTL, 1, leaseBytes)
	c.FirstSeq = uint64(time.Now().UnixMilli())
	return c
}

func history(name, description string, age time.Duration, bytes int64, subjects ...string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        name,
		Description: description,
		Subjects:    subjects,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		MaxAge:      age,
		MaxBytes:    bytes,
		AllowDirect: true,
	}
}

// bucket is the stream of a key-value bucket, as the nats tools know it. A ttl of 0
// keeps entries for ever.
func bucket(name, description string, ttl time.Duration, versions, bytes int64) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              bucketStream(name),
		Description:       description,
		Subjects:          []string{bucketSubjects(name)},
		Retention:         jetstream.LimitsPolicy,
		Discard:           jetstream.DiscardNew,
		MaxMsgsPerSubject: versions,
		MaxAge:            ttl,
		MaxBytes:          bytes,
		AllowRollup:       true,
		DenyDelete:        true,
		AllowDirect:       true,
	}
}

func (q *Queue) consumers() []jetstream.ConsumerConfig {
	var all []jetstream.ConsumerConfig
	for _, lane := range job.Lanes() {
		all = append(all, jetstream.ConsumerConfig{
			Durable:       ConsumerOf(lane),
			FilterSubject: laneSubjects(lane),
			DeliverPolicy: jetstream.DeliverAllPolicy,
			AckPolicy:     jetstream.AckExplicitPolicy,
			AckWait:       q.cfg.AckWait,
			MaxDeliver:    deliverForEver,
			MaxAckPending: inFlightLimit,
			MaxWaiting:    maxIdlePulls,
		})
	}
	return all
}
