package jobqueue

import (
	"cmp"
	"fmt"
	"strings"

	"maskfleet/pkg/job"
)

// The streams.
const (
	StreamJobs       = "JOBS"
	StreamDead       = "DEAD"
	StreamEvents     = "EVENTS"
	StreamAdvisories = "ADVISORIES"
	StreamTelemetry  = "TELEMETRY"
)

// The key-value buckets.
const (
	BucketConfig  = "CONFIG"
	BucketWorkers = "WORKERS"
	BucketLeases  = "LEASES"
)

// The reasons in DEAD of messages that have no row.
const (
	ReasonUnknown   = "unknown"   // their photo has none
	ReasonMalformed = "malformed" // they name no photo
)

const (
	clientName        = "maskfleet"
	traceParentHeader = "traceparent"
	statusHeader      = "Status" // set by the broker on answers that are not messages
)

// ConsumerOf is the durable consumer of a lane, by its name on the broker.
func ConsumerOf(lane job.Lane) string { return string(lane) }

// JobSubject is where the message of a photo lies; at most one at a time.
func JobSubject(lane job.Lane, id job.ID) string { return fmt.Sprintf("jobs.%s.%s", lane, id) }

func laneSubjects(lane job.Lane) string { return fmt.Sprintf("jobs.%s.*", lane) }

// EventSubject is where what happened to a photo is told.
func EventSubject(id job.ID, stage Stage) string {
	return fmt.Sprintf("events.photo.%s.%s", id, stage)
}

func photoEvents(id job.ID) string { return fmt.Sprintf("events.photo.%s.*", id) }

// auditSubject is where it is told that somebody did something, such as "jobs.retry".
func auditSubject(action string) string { return "events.audit." + action }

func deadSubject(reason, photo string) string { return fmt.Sprintf("dead.%s.%s", reason, photo) }

func eventSubjects() []string {
	return []string{"events.photo.>", "events.batch.>", "events.fleet.>", "events.audit.>"}
}

func telemetrySubjects() []string {
	return []string{workerTelemetrySubject("*"), doorTelemetrySubject("*"), fleetTelemetry}
}

func workerTelemetrySubject(worker string) string { return "telemetry.worker." + worker }

func doorTelemetrySubject(instance string) string { return "telemetry.door." + instance }

func anyIfEmpty(token string) string { return cmp.Or(token, "*") }

// fleetSubject is where it is told that something befell an instance.
func fleetSubject(what FleetEvent, instance string) string {
	return fmt.Sprintf("events.fleet.%s.%s", what, instance)
}

// advisorySubjects are the broker's own words about trouble: a message delivered
// too often or given up, a stream or consumer without a quorum, a full disk.
func advisorySubjects() []string {
	return []string{
		"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
		"$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
		"$JS.EVENT.ADVISORY.CONSUMER.QUORUM_LOST.>",
		"$JS.EVENT.ADVISORY.STREAM.QUORUM_LOST.>",
		"$JS.EVENT.ADVISORY.SERVER.OUT_OF_STORAGE",
	}
}

// The layout of a bucket's stream is a published convention (NATS ADR-8).
func bucketStream(bucket string) string { return "KV_" + bucket }

func bucketSubjects(bucket string) string { return "$KV." + bucket + ".>" }

// The parts of JetStream's API that are spoken without the client's help.
func pullSubject(lane job.Lane) string {
	return fmt.Sprintf("$JS.API.CONSUMER.MSG.NEXT.%s.%s", StreamJobs, ConsumerOf(lane))
}

func lastMessageSubject(subject string) string {
	return fmt.Sprintf("$JS.API.DIRECT.GET.%s.%s", StreamJobs, subject)
}

func batchSubject(stream string) string { return "$JS.API.DIRECT.GET." + stream }

// lastToken is the part of a subject that names the photo.
func lastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// isToken says whether s can be one part of a subject.
func isToken(s string) bool { return s != "" && !strings.ContainsAny(s, ".*> \t\r\n") }
