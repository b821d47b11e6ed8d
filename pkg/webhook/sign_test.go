package webhook

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The vector that the Standard Webhooks libraries test themselves with.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorSeconds   = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestPublishedVector(t *testing.T) {
	t.Parallel()
	at := time.Unix(vectorSeconds, 0)
	got, err := Sign([]string{vectorSecret}, vectorID, at, []byte(vectorBody))
	if err != nil || got != vectorSignature {
		t.Errorf("signed %q, %v; want %q", got, err, vectorSignature)
	}
	header := headerOf(vectorID, strconv.Itoa(vectorSeconds), vectorSignature)
	if err := Verify([]string{vectorSecret}, header, []byte(vectorBody), at); err != nil {
		t.Errorf("the published signature is refused: %v", err)
	}
}

func headerOf(id, timestamp, signature string) http.Header {
	return http.Header{
		http.CanonicalHeaderKey(HeaderID):        {id},
		http.CanonicalHeaderKey(HeaderTimestamp): {timestamp},
		http.CanonicalHeaderKey(HeaderSignature): {signature},
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	now := time.Unix(vectorSeconds, 0)
	seconds := strconv.Itoa(vectorSeconds)
	other := strings.Replace(vectorSignature, "g0hM", "AAAA", 1)
	cases := []struct {
		name   string
		header http.Header
		body   string
		now    time.Time
		want   error
	}{
		{"as it was sent", headerOf(vectorID, seconds, vectorSignature), vectorBody, now, nil},
		{"among others", headerOf(vectorID, seconds, "v2,xyz "+other+" "+vectorSignature), vectorBody, now, nil},
		{"a little late", headerOf(vectorID, seconds, vectorSignature), vectorBody, now.Add(tolerance), nil},
		{"too late", headerOf(vectorID, seconds, vectorSignature), vectorBody, now.Add(tolerance + time.Second), ErrTooOld},
		{"from the future", headerOf(vectorID, seconds, vectorSignature), vectorBody, now.Add(-tolerance - time.Second), ErrTooOld},
		{"another body", headerOf(vectorID, seconds, vectorSignature), vectorBody + " ", now, ErrSignature},
		{"another id", headerOf("msg_x", seconds, vectorSignature), vectorBody, now, ErrSignature},
		{"another time", headerOf(vectorID, strconv.Itoa(vectorSeconds+1), vectorSignature), vectorBody, now, ErrSignature},
		{"another signature", headerOf(vectorID, seconds, other), vectorBody, now, ErrSignature},
		{"without its version", headerOf(vectorID, seconds, vectorSignature[3:]), vectorBody, now, ErrSignature},
		{"no signature", headerOf(vectorID, seconds, ""), vectorBody, now, ErrSignature},
		{"no time", headerOf(vectorID, "", vectorSignature), vectorBody, now, ErrUnsigned},
		{"a time that is none", headerOf(vectorID, "soon", vectorSignature), vectorBody, now, ErrUnsigned},
		{"no id", headerOf("", seconds, vectorSignature), vectorBody, now, ErrUnsigned},
	}
	for _, c := range cases {
		if err := Verify([]string{vectorSecret}, c.header, []byte(c.body), c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestRotation: while two secrets live, a receiver may hold either of them.
func TestRotation(t *testing.T) {
	t.Parallel()
	old, young := NewSecret(), NewSecret()
	now, body := time.Now(), []byte("{}")
	signature, err := Sign([]string{young, old}, "id", now, body)
	if err != nil {
		t.Fatal(err)
	}
	header := headerOf("id", strconv.FormatInt(now.Unix(), 10), signature)
	for _, secret := range []string{old, young} {
		if err := Verify([]string{secret}, header, body, now); err != nil {
			t.Errorf("%v", err)
		}
	}
	if err := Verify([]string{NewSecret()}, header, body, now); !errors.Is(err, ErrSignature) {
		t.Errorf("a stranger's secret: %v", err)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	if one, other := NewSecret(), NewSecret(); one == other {
		t.Error("two secrets are the same")
	}
	if _, err := keyOf(NewSecret()); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "whsec_", "whsec_%%%", vectorSecret[6:], "whsec_c2hvcnQ=", "whsec_" + strings.Repeat("AAAA", 30)} {
		if _, err := Sign([]string{bad}, "id", time.Now(), nil); !errors.Is(err, ErrSecret) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := Sign(nil, "id", time.Now(), nil); !errors.Is(err, ErrSecret) {
		t.Errorf("no secret: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(vectorID, strconv.Itoa(vectorSeconds), vectorSignature, vectorBody)
	f.Add("", "9223372036854775807", "v1, v1,= v1,AA==", "")
	f.Fuzz(func(t *testing.T, id, timestamp, signature, body string) {
		err := Verify([]string{vectorSecret}, headerOf(id, timestamp, signature), []byte(body), time.Unix(vectorSeconds, 0))
		if err == nil && (id != vectorID || body != vectorBody || !strings.Contains(signature, vectorSignature)) {
			t.Errorf("accepted %q %q %q %q", id, timestamp, signature, body)
		}
	})
}
