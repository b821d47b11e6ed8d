package job

import (
	"time"

	"github.com/google/uuid"
)

// ID names a photo for ever: in MySQL, on the broker, in S3 keys and in the API.
// It is a UUIDv7, so it sorts by the time of its making.
type ID = uuid.UUID

// NewID makes the identity of a photo about to be accepted. The error is that of
// the system's source of randomness.
func NewID() (ID, error) { return uuid.NewV7() }

// Lane is a queue of its own within JOBS, so that a batch never makes a person wait.
type Lane string

// The lanes, in order of weight.
const (
	LaneInteractive Lane = "interactive"
	LaneBatch       Lane = "batch"
	LaneCanary      Lane = "canary"
)

// Lanes lists every lane, the one with the most weight first.
func Lanes() []Lane { return []Lane{LaneInteractive, LaneBatch, LaneCanary} }

// Source says where the bytes of a photo come from.
type Source string

// The sources. Those that are Fetched have no original until a worker fetched it.
const (
	SourceUpload Source = "upload"        // the door took it in and looked at it
	SourceLink   Source = "link"          // fetched from Link, "https://…"
	SourceS3     Source = "s3"            // fetched from Link, "s3://bucket/key", a bucket of the client's own
	SourceSigned Source = "signed_upload" // fetched from our bucket, where the client put it; Link is the upload's id
	SourceMember Source = "member"        // of a batch's archive or manifest; stored as it came, not looked at yet
)

// Fetched says that the worker brings the photo's bytes and stores the original.
func (s Source) Fetched() bool { return s == SourceLink || s == SourceS3 || s == SourceSigned }

// Photo is a photo's row: what was accepted, how far it got and what came of it.
// Times are UTC; a zero time means "not yet".
type Photo struct {
	ID      ID
	OwnerID uuid.UUID
	Lane    Lane

	// The batch it belongs to; zero outside of batches.
	BatchID   uuid.UUID
	BatchLine int    // its place in the batch, from 1
	CustomID  string // as the client named it; unique in the batch
	Run       int    // of the batch, in which it was queued last

	// What was accepted.
	Source      Source
	Link        string // where to fetch it, if the source is Fetched
	Filename    string // as the person named it, cleaned; only for display
	ContentType string // by content, never by name; empty until a link is fetched
	Bytes       int64
	Width       int // pixels, of the upright photo once it is decoded
	Height      int
	SHA256      string            // lower-case hex of the original's bytes
	Metadata    map[string]string // the client's own, returned as it came
	TraceParent string            // W3C trace context of the request that brought it
	CreatedAt   time.Time

	// Where it stands; see the protocol in transitions.go.
	Row       Row
	WorkerID  string
	RunAt     time.Time
	ClaimedAt time.Time
	LeaseOver time.Time // the moment the lease ends; zero without a lease
	DoneAt    time.Time

	// Objects in S3; empty while they do not exist.
	OriginalKey  string
	AnnotatedKey string
	ThumbnailKey string

	// What came of it: Result with StateSucceeded, Failure after any failed attempt.
	Result  *Result
	Failure *Failure
}

// Day is the UTC day under which the photo's objects lie, "2006-01-02", so that a
// sweep lists a day and not the bucket.
func (p Photo) Day() string { return p.CreatedAt.UTC().Format(time.DateOnly) }
