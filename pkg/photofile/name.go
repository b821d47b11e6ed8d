package photofile

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxNameRunes = 255
	defaultName  = "photo"
)

// ErrName marks a file name that is refused; its text is fit for the person who
// chose it.
var ErrName = errors.New("file name not accepted")

// CleanName gives the name under which a photo is shown: the given one, or "photo"
// for an empty one. Path parts, control characters and the invisible characters
// that turn text around are refused, never repaired: whoever sends them means
// something else.
func CleanName(name string) (string, error) {
	if !utf8.ValidString(name) {
		return "", fmt.Errorf("%w: it is not valid text", ErrName)
	}
	// Before the spaces go, for a line's end would go with them.
	if strings.ContainsFunc(name, isInvisible) {
		return "", fmt.Errorf("%w: it contains control characters", ErrName)
	}
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return defaultName, nil
	case utf8.RuneCountInString(name) > maxNameRunes:
		return "", fmt.Errorf("%w: it is longer than %d characters", ErrName, maxNameRunes)
	case name == "." || name == ".." || strings.ContainsAny(name, `/\`):
		return "", fmt.Errorf("%w: it contains parts of a path", ErrName)
	}
	return name, nil
}

// isInvisible finds control characters, separators of lines and the characters that
// reverse the text after them. The joiners that Persian or emoji need are not among
// them.
func isInvisible(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
