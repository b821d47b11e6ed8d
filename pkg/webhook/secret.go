package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

const (
	secretPrefix = "whsec_"
	secretBytes  = 32
)

// ErrSecret means that a text is no secret: "whsec_" and the base64 of 24 to 64 bytes.
var ErrSecret = errors.New("not a webhook secret")

// NewSecret makes the secret that an endpoint and its receiver share.
func NewSecret() string {
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// keyOf gives the bytes of a secret.
func keyOf(secret string) ([]byte, error) {
	text, marked := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !marked || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, ErrSecret // without err, which would show a part of it
	}
	return key, nil
}

// keysOf gives the bytes of several secrets, at least one.
func keysOf(secrets []string) ([][]byte, error) {
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrSecret)
	}
	keys := make([][]byte, len(secrets))
	for i, secret := range secrets {
		key, err := keyOf(secret)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return keys, nil
}
