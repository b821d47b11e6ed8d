package imagestore

import (
	"fmt"
	"regexp"
	"strconv"

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

func checkKey(key string) error {
	if len(key) > maxKeyBytes || !plainKey.MatchString(key) {
		return fmt.Errorf("%q is no key of ours: want names of a-z, 0-9, _ and - between slashes", key)
	}
	return nil
}
