package webhook_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"maskfleet/pkg/webhook"
)

// A receiver reads the body as it came, verifies it, and answers before it does
// anything that takes long. The same webhook-id again is the same message.
func ExampleVerify() {
	secret := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the endpoint, shown when it was made
	seen := map[string]bool{}                          // in a table of its own, in earnest

	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		if err := webhook.Verify([]string{secret}, r.Header, body, time.Now()); err != nil {
			http.Error(w, "not yours", http.StatusUnauthorized)
			return
		}
		if id := r.Header.Get(webhook.HeaderID); !seen[id] {
			seen[id] = true
			fmt.Println("new:", string(body))
		}
		w.WriteHeader(http.StatusNoContent)
	}

	for range 2 { // it may come twice
		now := time.Now()
		body := `{"type":"batch.completed"}`
		signature, _ := webhook.Sign([]string{secret}, "0198f3c2", now, []byte(body))
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
}
