package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	dayLayout = "20060102"
	isoLayout = "20060102T150405Z"
	// clockSkew is how far a request's date may be from ours.
	clockSkew = 15 * time.Minute
)

// Key is one pair of credentials.
type Key struct {
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
	Token     string `json:"token,omitempty"` // of a session; empty: none
}

// scope says for what a request was signed.
type scope struct {
	accessKey, day, region, service string
}

// credentials is the Authorization header of a request.
type credentials struct {
	scope
	signed    []string // headers that the signature covers
	signature string
}

// readCredentials gives nothing for a request without.
func readCredentials(r *http.Request) (credentials, bool) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm+" ")
	if !ok {
		return credentials{}, false
	}
	var c credentials
	for field := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			parts := strings.Split(value, "/")
			if len(parts) != 5 || parts[4] != "aws4_request" {
				return credentials{}, false
			}
			c.scope = scope{accessKey: parts[0], day: parts[1], region: parts[2], service: parts[3]}
		case "SignedHeaders":
			c.signed = strings.Split(value, ";")
		case "Signature":
			c.signature = value
		}
	}
	return c, c.service != "" && c.signature != "" && slices.Contains(c.signed, "host")
}

// verify checks that who sent the request holds the secret key, and sent it now.
func (c credentials) verify(r *http.Request, body []byte, key Key, now time.Time, d Dialect) *Error {
	at, err := time.Parse(isoLayout, r.Header.Get("X-Amz-Date"))
	if err != nil || at.Format(dayLayout) != c.day {
		return refusedSignature(d)
	}
	if age := now.Sub(at); age > clockSkew || age < -clockSkew {
		if d == EC2 {
			return Expired(d)
		}
		return refusedSignature(d)
	}
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Amz-Security-Token")), []byte(key.Token)) != 1 {
		return unknownKey(d)
	}
	if want := c.sign(r, body, key.SecretKey); !hmac.Equal([]byte(want), []byte(c.signature)) {
		return refusedSignature(d)
	}
	return nil
}

// sign computes the signature that the request should carry.
func (c credentials) sign(r *http.Request, body []byte, secret string) string {
	digest := sha256.Sum256([]byte(c.canonical(r, body)))
	toSign := strings.Join([]string{
		algorithm, r.Header.Get("X-Amz-Date"),
		c.day + "/" + c.region + "/" + c.service + "/aws4_request",
		hex.EncodeToString(digest[:]),
	}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{c.day, c.region, c.service, "aws4_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, toSign))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonical is the form of a request over which both sides compute.
func (c credentials) canonical(r *http.Request, body []byte) string {
	var text strings.Builder
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	text.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r.URL.Query()) + "\n")
	for _, name := range c.signed {
		text.WriteString(name + ":" + headerText(r, name) + "\n")
	}
	digest := sha256.Sum256(body)
	text.WriteString("\n" + strings.Join(c.signed, ";") + "\n" + hex.EncodeToString(digest[:]))
	return text.String()
}

func canonicalQuery(query url.Values) string {
	// Encode sorts by name; AWS wants %20 where it writes +.
	for _, values := range query {
		slices.Sort(values)
	}
	return strings.ReplaceAll(query.Encode(), "+", "%20")
}

func headerText(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length": // taken out of the headers by net/http
		if value := r.Header.Get(name); value != "" {
			return value
		}
		return formatLength(r.ContentLength)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, value := range values {
		values[i] = strings.Join(strings.Fields(value), " ")
	}
	return strings.Join(values, ",")
}

func unsigned(d Dialect) *Error {
	if d == EC2 {
		return &Error{Code: codeAuthFailure, Message: "AWS was not able to validate the provided access credentials", Status: http.StatusUnauthorized}
	}
	return &Error{Code: codeMissingToken, Message: "Request is missing Authentication Token", Status: http.StatusForbidden}
}

func unknownKey(d Dialect) *Error {
	if d == EC2 {
		return unsigned(d)
	}
	return &Error{Code: codeUnknownKey, Message: "The security token included in the request is invalid.", Status: http.StatusForbidden}
}

func refusedSignature(d Dialect) *Error {
	if d == EC2 {
		return unsigned(d)
	}
	return &Error{
		Code: codeWrongSignature, Status: http.StatusForbidden,
		Message: "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
	}
}

func formatLength(length int64) string {
	if length < 0 {
		return ""
	}
	return strconv.FormatInt(length, 10)
}
