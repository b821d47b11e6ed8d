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
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return defaultName, nil
	case !utf8.ValidString(name):
		return "", fmt.Errorf("%w: it is not valid text", ErrName)
	case utf8.RuneCountInString(name) > maxNameRunes:
		return "", fmt.Errorf("%w: it is longer than %d characters", ErrName, maxNameRunes)
	case name == "." || name == ".." || strings.ContainsAny(name, `/\`):
		return "", fmt.Errorf("%w: it contains parts of a path", ErrName)
	case strings.ContainsFunc(name, isInvisible):
		return "", fmt.Errorf("%w: it contains control characters", ErrName)
	}
	return name, nil
}

// isInvisible finds control characters and those that reverse the text after them.
// The joiners that Persian or emoji need are not among them.
func isInvisible(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
