package mail

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strconv"
)

// The ways to protect the connection to the server.
const (
	TLSStart = "starttls" // the connection is encrypted before anything is said
	TLSFull  = "tls"      // it is encrypted from its first byte
	TLSNone  = "none"     // for a server on the same machine
)

// Config says which server takes the mail. Without an address, no mail is sent.
type Config struct {
	Address  string `env:"SMTP_ADDRESS"` // host:port
	User     string `env:"SMTP_USER"`
	Password string `env:"SMTP_PASSWORD" secret:"true"`
	// TLS is starttls, tls or none. There is no falling back from one to another.
	TLS  string `env:"SMTP_TLS" envDefault:"starttls"`
	From string `env:"MAIL_FROM"` // "Maskfleet <maskfleet@example.org>"
}

// Enabled says that mail is sent.
func (c *Config) Enabled() bool { return c.Address != "" }

// Validate checks the settings, if mail is sent at all.
func (c *Config) Validate() error {
	if !c.Enabled() {
		return nil
	}
	var errs []error
	if _, _, err := c.hostPort(); err != nil {
		errs = append(errs, err)
	}
	if _, err := mail.ParseAddress(c.From); err != nil {
		errs = append(errs, errors.New("MAIL_FROM must be an e-mail address"))
	}
	switch c.TLS {
	case TLSStart, TLSFull:
	case TLSNone:
		if c.Password != "" {
			errs = append(errs, errors.New("SMTP_TLS=none would send SMTP_PASSWORD unprotected"))
		}
	default:
		errs = append(errs, fmt.Errorf("SMTP_TLS must be %s, %s or %s", TLSStart, TLSFull, TLSNone))
	}
	return errors.Join(errs...)
}

func (c *Config) hostPort() (string, int, error) {
	host, text, err := net.SplitHostPort(c.Address)
	port, numberErr := strconv.Atoi(text)
	if err != nil || numberErr != nil || host == "" || port < 1 || port > 65535 {
		return "", 0, errors.New("SMTP_ADDRESS must be host:port")
	}
	return host, port, nil
}

// ValidAddress says whether text is one plain e-mail address, as a person types it.
func ValidAddress(text string) bool {
	const longest = 254 // RFC 5321
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text && len(text) <= longest
}
