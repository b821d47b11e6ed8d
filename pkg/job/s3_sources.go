package job

import (
	"fmt"
	"strings"
)

// S3Sources are the places from which an account's photos may be fetched, each
// "s3://bucket/prefix". The prefix ends with a slash or is empty, so that what may be
// read is a folder and not also its neighbours.
type S3Sources []string

// Validate says what is wrong with the first entry that is wrong.
func (s S3Sources) Validate() error {
	for _, source := range s {
		_, prefix, err := ParseS3URI(source)
		if err != nil {
			return fmt.Errorf("%q %w", source, err)
		}
		if prefix != "" && !strings.HasSuffix(prefix, "/") {
			return fmt.Errorf("%q must end with a slash", source)
		}
	}
	return nil
}

// Allow says whether the key, or all keys with that prefix, may be fetched.
func (s S3Sources) Allow(bucket, key string) bool {
	for _, source := range s {
		allowed, prefix, err := ParseS3URI(source)
		if err == nil && allowed == bucket && strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
