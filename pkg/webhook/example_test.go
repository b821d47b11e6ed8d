package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"maskfleet/pkg/webhook"
)

// The two functions below stand in docs/webhooks.md, too: a receiver needs nothing but
// the standard library. TestDocs holds the two together.

// verify says whether a message was signed with the secret within the last minutes.
func verify(secret string, header http.Header, body []byte) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	seconds, err2 := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if err != nil || err2 != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", header.Get("webhook-id"), seconds, body)
	wanted := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return slices.ContainsFunc(strings.Fields(header.Get("webhook-signature")), func(got string) bool {
		return hmac.Equal([]byte(got), []byte(wanted))
	})
}

// receiver takes messages; the same webhook-id again is the same message.
func receiver(secret string, isNew func(id string) bool, handle func(body []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20)) // as it came, before any decoding
		if err != nil || !verify(secret, r.Header, body) {
			http.Error(w, "not yours", http.StatusUnauthorized)
			return
		}
		if isNew(r.Header.Get("webhook-id")) {
			handle(body) // takes note of it; what takes long is done later
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func Example_receiver() {
	secret := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the webhook, shown when it was made
	seen := map[string]bool{}                          // in a table of its own, in earnest
	isNew := func(id string) bool {
		known := seen[id]
		seen[id] = true
		return !known
	}
	receive := receiver(secret, isNew, func(body []byte) { fmt.Println("new:", string(body)) })
	for _, signer := range []string{secret, secret, webhook.NewSecret()} { // it may come twice
		now, body := time.Now(), `{"type":"batch.completed"}`
		signature, _ := webhook.Sign([]string{signer}, "0198f3c2", now, []byte(body))
		r := httptest.NewRequest(http.MethodPost, "/webhooks", strings.NewReader(body))
		r.Header.Set(webhook.HeaderID, "0198f3c2")
		r.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
		r.Header.Set(webhook.HeaderSignature, signature)
		w := httptest.NewRecorder()
		receive(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// new: {"type":"batch.completed"}
	// 204
	// 204
	// 401
}
