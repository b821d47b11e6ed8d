package linkfetch

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxLinkBytes = 2048

// ErrLink marks a link that cannot be fetched whatever lies behind it; its text is
// fit for the person who gave the link.
var ErrLink = errors.New("link not accepted")

// linkError is ErrLink with what is wrong.
type linkError struct{ why string }

func (e *linkError) Error() string { return ErrLink.Error() + ": " + e.why }

func (e *linkError) Unwrap() error { return ErrLink }

// Why is what CheckLink found wrong with a link, in words that follow its name: "it
// names no server". Of another error it is empty.
func Why(err error) string {
	var e *linkError
	if !errors.As(err, &e) {
		return ""
	}
	return e.why
}

// CheckLink says what is wrong with a link without asking anybody, so that the
// front door can refuse it at once. A link that passes may still lead to a
// forbidden address.
func CheckLink(link string) error {
	_, err := parse(link)
	return err
}

func parse(link string) (*url.URL, error) {
	if len(link) > maxLinkBytes {
		return nil, &linkError{fmt.Sprintf("it is longer than %d characters", maxLinkBytes)}
	}
	if !utf8.ValidString(link) {
		return nil, &linkError{"it is not valid text"}
	}
	if strings.ContainsFunc(link, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return nil, &linkError{"it contains spaces or control characters"}
	}
	u, err := url.Parse(link)
	if err != nil {
		return nil, &linkError{"it is not a web address"}
	}
	return u, checkURL(u)
}

func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return &linkError{"it does not begin with http:// or https://"}
	case u.Hostname() == "":
		return &linkError{"it names no server"}
	case u.User != nil:
		return &linkError{"it carries a user name or password"}
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return &linkError{"its port is not between 1 and 65535"}
		}
	}
	return nil
}
