package job

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"maskfleet/pkg/strictjson"
)

// The bounds of an item's own words, in bytes.
const (
	MaxCustomID      = 1024
	MaxLink          = 2048
	MaxMetadataKeys  = 16
	MaxMetadataKey   = 64
	MaxMetadataValue = 512
)

// Item is one photo of a batch as its client describes it.
type Item struct {
	CustomID string            `json:"custom_id"`
	Image    ItemImage         `json:"image"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

// ItemImage says where the photo's bytes are. Exactly one of its fields is set.
type ItemImage struct {
	URL      string `json:"url,omitempty"`
	Base64   string `json:"base64,omitempty"` // standard encoding, padded
	S3URI    string `json:"s3_uri,omitempty"` // "s3://bucket/key"
	UploadID string `json:"upload_id,omitempty"`
}

// ParseItem reads one line of a manifest. It is strict: what it does not know is a
// mistake of the sender's that must show. The photo itself is not looked at, and
// where a link may lead is for others to say; base64 is valid and, decoded, of at
// most maxPhoto bytes. What is wrong is a sentence for the sender.
func ParseItem(line []byte, maxPhoto int64) (Item, error) {
	var item Item
	if err := strictjson.Read(line, &item); err != nil {
		return Item{CustomID: clipped(nameIn(line))}, unreadable(err)
	}
	if err := item.check(maxPhoto); err != nil {
		return Item{CustomID: clipped(item.CustomID)}, err
	}
	return item, nil
}

// nameIn is what an item calls itself whose line cannot be used, but begins with JSON.
// The line is read once more for it: the name may stand behind what is wrong.
func nameIn(line []byte) string {
	var named struct {
		CustomID string `json:"custom_id"`
	}
	if !utf8.Valid(line) {
		return ""
	}
	_ = json.NewDecoder(bytes.NewReader(line)).Decode(&named) // a name of another type is none
	return named.CustomID
}

// unreadable is a fault in words that name the line.
func unreadable(err error) error {
	fault := strictjson.FaultIn(err)
	if fault.Field == "" {
		return fmt.Errorf("the line %s", fault.Why)
	}
	return fmt.Errorf("“%s” %s", fault.Field, fault.Why)
}

// clipped makes a name fit to be shown in a list of faults.
func clipped(name string) string {
	return strings.ToValidUTF8(name[:min(len(name), MaxCustomID)], "")
}

func (i Item) check(maxPhoto int64) error {
	if err := CheckCustomID(i.CustomID); err != nil {
		return err
	}
	if err := i.Image.check(maxPhoto); err != nil {
		return err
	}
	if err := CheckMetadata(i.Metadata); err != nil {
		return fmt.Errorf("“metadata” %w", err)
	}
	return nil
}

// CheckCustomID says what is wrong with the name that a client gave an item.
func CheckCustomID(name string) error {
	switch {
	case name == "":
		return errors.New("“custom_id” is missing")
	case len(name) > MaxCustomID:
		return fmt.Errorf("“custom_id” is longer than %d bytes", MaxCustomID)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("“custom_id” has characters that cannot be shown")
	}
	return nil
}

// CheckMetadata says what is wrong with a client's own notes, in words that follow the
// field's name.
func CheckMetadata(metadata map[string]string) error {
	if len(metadata) > MaxMetadataKeys {
		return fmt.Errorf("may have at most %d entries", MaxMetadataKeys)
	}
	for key, value := range metadata {
		if len(key) > MaxMetadataKey || len(value) > MaxMetadataValue {
			return fmt.Errorf("may have names of %d and values of %d bytes", MaxMetadataKey, MaxMetadataValue)
		}
	}
	return nil
}

func (i ItemImage) check(maxPhoto int64) error {
	given := 0
	for _, source := range []string{i.URL, i.Base64, i.S3URI, i.UploadID} {
		if source != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("“image” must have exactly one of “url”, “base64”, “s3_uri” and “upload_id”")
	case i.UploadID != "":
		if _, err := ParseUploadID(i.UploadID); err != nil {
			return err
		}
	case i.S3URI != "":
		if _, key, err := ParseS3URI(i.S3URI); err != nil || key == "" {
			return errors.New("“s3_uri” must be s3://bucket/key")
		}
	case i.URL != "":
		if len(i.URL) > MaxLink {
			return fmt.Errorf("“url” is longer than %d bytes", MaxLink)
		}
	default:
		return checkBase64(i.Base64, maxPhoto)
	}
	return nil
}

func checkBase64(text string, maxPhoto int64) error {
	if int64(base64.StdEncoding.DecodedLen(len(text))) > maxPhoto+2 {
		return fmt.Errorf("“base64” is larger than %d bytes", maxPhoto)
	}
	n, err := io.Copy(io.Discard, base64.NewDecoder(base64.StdEncoding.Strict(), strings.NewReader(text)))
	switch {
	case err != nil || strings.ContainsAny(text, "\r\n"):
		return errors.New("“base64” is not base64")
	case n > maxPhoto:
		return fmt.Errorf("“base64” is larger than %d bytes", maxPhoto)
	}
	return nil
}

// ParseUploadID reads the name of an upload in its one spelling.
func ParseUploadID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil || id.Version() != 7 || id.String() != text {
		return uuid.UUID{}, errors.New("“upload_id” is not one that was given out")
	}
	return id, nil
}

// ParseS3URI splits "s3://bucket/key"; the key may be empty where a prefix is meant.
func ParseS3URI(uri string) (bucket, key string, err error) {
	rest, found := strings.CutPrefix(uri, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	switch {
	case !found || len(bucket) < 3 || len(bucket) > 63 || strings.Trim(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "":
		return "", "", errors.New("must be s3://bucket/key")
	case len(key) > 1024 || !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl):
		return "", "", errors.New("has a key that cannot be")
	}
	return bucket, key, nil
}
