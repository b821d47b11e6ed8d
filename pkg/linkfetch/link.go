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

// CheckLink says what is wrong with a link without asking anybody, so that the
// front door can refuse it at once. A link that passes may still lead to a
// forbidden address.
func CheckLink(link string) error {
	_, err := parse(link)
	return err
}

func parse(link string) (*url.URL, error) {
	if len(link) > maxLinkBytes {
		return nil, fmt.Errorf("%w: it is longer than %d characters", ErrLink, maxLinkBytes)
	}
	if !utf8.ValidString(link) {
		return nil, fmt.Errorf("%w: it is not valid text", ErrLink)
	}
	if strings.ContainsFunc(link, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return nil, fmt.Errorf("%w: it contains spaces or control characters", ErrLink)
	}
	u, err := url.Parse(link)
	if err != nil {
		return nil, fmt.Errorf("%w: it is not a web address", ErrLink)
	}
	return u, checkURL(u)
}

func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: it does not begin with http:// or https://", ErrLink)
	case u.Hostname() == "":
		return fmt.Errorf("%w: it names no server", ErrLink)
	case u.User != nil:
		return fmt.Errorf("%w: it carries a user name or password", ErrLink)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("%w: its port is not between 1 and 65535", ErrLink)
		}
	}
	return nil
}
