package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a webhook.
const (
	HeaderID        = "webhook-id"        // the same at every try: what came before can be left out
	HeaderTimestamp = "webhook-timestamp" // of this try, in seconds since 1970
	HeaderSignature = "webhook-signature" // one or more, separated by spaces
)

const signatureVersion = "v1,"

// tolerance is how far the clocks of sender and receiver may differ, and how long a
// message that somebody recorded can be sent again.
const tolerance = 5 * time.Minute

// The errors of Verify.
var (
	ErrUnsigned  = errors.New("a header of the webhook is missing or unreadable")
	ErrSignature = errors.New("no signature fits")
	ErrTooOld    = errors.New("the timestamp is more than five minutes away from now")
)

// Sign gives the value of HeaderSignature: one signature for each secret, so that a
// receiver may hold any of them.
func Sign(secrets []string, id string, at time.Time, body []byte) (string, error) {
	keys, err := keysOf(secrets)
	if err != nil {
		return "", err
	}
	signatures := make([]string, len(keys))
	for i, key := range keys {
		sum := digest(key, id, strconv.FormatInt(at.Unix(), 10), body)
		signatures[i] = signatureVersion + base64.StdEncoding.EncodeToString(sum)
	}
	return strings.Join(signatures, " "), nil
}

// Verify says whether a message that came at now was sent by somebody who has one of
// the secrets, not long ago. The body must be the bytes that came, before any decoding.
func Verify(secrets []string, header http.Header, body []byte, now time.Time) error {
	keys, err := keysOf(secrets)
	if err != nil {
		return err
	}
	id, timestamp := header.Get(HeaderID), header.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" {
		return ErrUnsigned
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return ErrTooOld
	}
	for _, key := range keys {
		wanted := digest(key, id, timestamp, body)
		for signature := range strings.FieldsSeq(header.Get(HeaderSignature)) {
			text, known := strings.CutPrefix(signature, signatureVersion)
			if sum, err := base64.StdEncoding.DecodeString(text); known && err == nil && hmac.Equal(sum, wanted) {
				return nil
			}
		}
	}
	return ErrSignature
}

func digest(key []byte, id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(id + "." + timestamp + ".")) // never fails
	_, _ = mac.Write(body)
	return mac.Sum(nil)
}
