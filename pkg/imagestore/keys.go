package imagestore

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

const maxKeyBytes = 1024 // S3's own limit

// plainKey is a path of plain names. Nothing else is safe everywhere: an S3 that
// keeps files quietly stores "a//b" as "a/b" and cannot take longer names.
var plainKey = regexp.MustCompile(`^[a-z0-9_-]{1,255}(/[a-z0-9_-]{1,255})*$`)

// OriginalKey is where the bytes lie that the door took in.
func OriginalKey(p job.Photo) string { return p.Day() + "/" + p.ID.String() + "/original" }

// ResultKey is where a claim keeps an object of its own: under its fence, so that
// a worker which lost the photo can leave an orphan but never overwrite.
func ResultKey(p job.Photo, fence int, name string) string {
	return p.Day() + "/" + p.ID.String() + "/" + strconv.Itoa(fence) + "/" + name
}

// ManifestKey and ArchiveKey are where a batch's items lie until it is expanded.
func ManifestKey(b job.Batch) string { return b.Day() + "/batches/" + b.ID.String() + "/manifest" }

// ArchiveKey is the archive's; see ManifestKey.
func ArchiveKey(b job.Batch) string { return b.Day() + "/batches/" + b.ID.String() + "/archive" }

// UploadKey is where a client puts a photo by a signed link, to name it in a batch.
// The owner stands in it, so that nobody can name another's. The upload is a UUIDv7:
// its day is that of its making.
func UploadKey(owner, upload uuid.UUID) string {
	seconds, nanos := upload.Time().UnixTime()
	day := time.Unix(seconds, nanos).UTC().Format(time.DateOnly)
	return day + "/uploads/" + owner.String() + "/" + upload.String()
}

var (
	batchKey  = regexp.MustCompile(`^\d{4}-\d\d-\d\d/batches/([0-9a-f-]{36})/(?:manifest|archive)$`)
	uploadKey = regexp.MustCompile(`^\d{4}-\d\d-\d\d/uploads/[0-9a-f-]{36}/[0-9a-f-]{36}$`)
)

// BatchOf gives the batch to which a key belongs, by ManifestKey's rule.
func BatchOf(key string) (uuid.UUID, bool) {
	found := batchKey.FindStringSubmatch(key)
	if found == nil {
		return uuid.UUID{}, false
	}
	id, err := uuid.Parse(found[1])
	return id, err == nil
}

// IsUpload says whether a key is one of UploadKey's.
func IsUpload(key string) bool { return uploadKey.MatchString(key) }

func checkKey(key string) error {
	if len(key) > maxKeyBytes || !plainKey.MatchString(key) {
		return fmt.Errorf("%q is no key of ours: want names of a-z, 0-9, _ and - between slashes", key)
	}
	return nil
}
