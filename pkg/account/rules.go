package account

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxNameCharacters     = 100
	minPasswordCharacters = 10
	maxPasswordCharacters = 256
)

// ErrInvalid marks a username, password, name or scope that the rules refuse. Its
// text is for the person who chose it.
var ErrInvalid = errors.New("not allowed")

func invalid(rule string, args ...any) error {
	return fmt.Errorf("%w: "+rule, append([]any{ErrInvalid}, args...)...)
}

// ValidateUsername checks a username: 1 to 100 printable characters, no space at
// either end, where the database would not see it.
func ValidateUsername(username string) error { return validateName(username) }

func validateName(name string) error {
	switch n := utf8.RuneCountInString(name); {
	case n < 1 || n > maxNameCharacters:
		return invalid("must have 1 to %d characters", maxNameCharacters)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return invalid("must have printable characters only")
	case strings.TrimSpace(name) != name:
		return invalid("must not begin or end with a space")
	}
	return nil
}

// ValidatePassword checks a password: 10 to 256 characters, of any kind. Accounts
// of test rigs may have shorter ones, for the ancestor set no minimum and its load
// generators log in with what they registered.
func ValidatePassword(password string, o Origin) error {
	least := minPasswordCharacters
	if o == ByAPI {
		least = 1
	}
	if n := utf8.RuneCountInString(password); n < least || n > maxPasswordCharacters {
		return invalid("must have %d to %d characters", least, maxPasswordCharacters)
	}
	return nil
}
