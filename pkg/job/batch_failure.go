package job

// BatchCode is the stable name of why a whole batch failed, or a line of it.
type BatchCode string

// The codes with which a batch can fail.
const (
	BatchCodeInvalidManifest   BatchCode = "invalid_manifest"
	BatchCodeDuplicateCustomID BatchCode = "duplicate_custom_id"
	BatchCodeTooManyItems      BatchCode = "too_many_items"
	BatchCodeNoItems           BatchCode = "no_items"
	BatchCodeInvalidArchive    BatchCode = "invalid_archive"
	BatchCodeSourceForbidden   BatchCode = "source_forbidden"
	BatchCodeSourceNotFound    BatchCode = "source_not_found"
	BatchCodeInternal          BatchCode = "internal"
)

// BatchCodes lists the codes.
func BatchCodes() []BatchCode {
	return []BatchCode{
		BatchCodeInvalidManifest, BatchCodeDuplicateCustomID, BatchCodeTooManyItems, BatchCodeNoItems,
		BatchCodeInvalidArchive, BatchCodeSourceForbidden, BatchCodeSourceNotFound, BatchCodeInternal,
	}
}

// MaxLineFaults is how many lines a failed batch names.
const MaxLineFaults = 20

// BatchFailure is why a batch failed: all of it is for its owner to read.
type BatchFailure struct {
	Code    BatchCode   `json:"code"`
	Message string      `json:"message"`
	Lines   []LineFault `json:"lines,omitempty"` // the first MaxLineFaults, in order
}

// Error gives the code and the sentence, for logs.
func (f *BatchFailure) Error() string { return string(f.Code) + ": " + f.Message }

// LineFault is what is wrong with one line of a manifest or one entry of an archive.
type LineFault struct {
	Line     int       `json:"line"` // from 1; an entry's place in its archive
	CustomID string    `json:"custom_id,omitempty"`
	Code     BatchCode `json:"code"`
	Message  string    `json:"message"`
}

// Error gives the sentence.
func (f *LineFault) Error() string { return f.Message }
