package job

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// BatchSource says in what form the items of a batch came.
type BatchSource string

// The sources of batches.
const (
	BatchFromManifest BatchSource = "manifest"  // lines of JSON, one item each; see ParseItem
	BatchFromArchive  BatchSource = "archive"   // a zip or tar of photos
	BatchFromPrefix   BatchSource = "s3_prefix" // all objects under a prefix of the client's own bucket
)

// Batch is a set of photos that was submitted as one. Times are UTC; a zero time
// means "not yet".
type Batch struct {
	ID      uuid.UUID // UUIDv7: sorts by the time of its making
	OwnerID uuid.UUID

	Source      BatchSource
	SourceKey   string // the manifest's or archive's object in S3; empty with BatchFromPrefix
	Prefix      string // "s3://bucket/prefix"; only with BatchFromPrefix
	TraceParent string // W3C trace context of the request that brought it
	CreatedAt   time.Time
	Window      time.Duration // how long items of one run may wait
	Announced   int           // at most how many items it will have; they count as open until it is expanded

	State     BatchState
	Run       int // 1, and one more with every retry
	Counts    BatchCounts
	Failure   *BatchFailure // with BatchFailed
	StartedAt time.Time     // when its first photo went to the broker
	DoneAt    time.Time     // when it became terminal
	ExpiresAt time.Time     // when the window of this run is over
}

// Counted says whether Announced is how many items were submitted: those of an archive
// or a prefix are counted when it is expanded.
func (b Batch) Counted() bool { return b.Source == BatchFromManifest }

// Day is the UTC day under which the batch's objects lie; see Photo.Day.
func (b Batch) Day() string { return b.CreatedAt.UTC().Format(time.DateOnly) }

// BatchCounts say how far a batch is. Succeeded, Failed, Cancelled, Expired and
// Remaining add up to Total; the categories add up to Succeeded. What is deleted
// out of a batch goes on counting as what it was, or as cancelled if it was open.
type BatchCounts struct {
	Total     int
	Remaining int // neither ended nor deleted
	Succeeded int
	Failed    int
	Cancelled int
	Expired   int

	NoFaces    int
	AllMasked  int
	NoneMasked int
	SomeMasked int
	Faces      Counts
}

// NewBatchID makes the identity of a batch; see NewID.
func NewBatchID() (uuid.UUID, error) { return uuid.NewV7() }

// ItemID is the identity of a batch's photo: the same at every try to expand the
// batch, so that what an interrupted try has stored is found again and not left
// behind. Like any ID it begins with a time, the batch's, and so sorts by line.
func ItemID(batch uuid.UUID, line int) ID {
	sum := sha256.Sum256(batch[:])
	var id ID
	copy(id[:6], batch[:6])
	binary.BigEndian.PutUint16(id[6:], 0x7000|uint16(line>>8)&0x0fff) // version 7, and the line's upper bits
	id[8] = 0x80 | sum[8]&0x3f                                        // the variant
	id[9] = byte(line)
	copy(id[10:], sum[:6])
	return id
}

// MaxBatchItems is the most items that ItemID tells apart; the limits in force are
// far lower.
const MaxBatchItems = 1 << 20
