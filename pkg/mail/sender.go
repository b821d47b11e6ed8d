package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// sendLimit bounds the whole conversation with the server.
const sendLimit = 20 * time.Second

// ErrDisabled means that no server is configured.
var ErrDisabled = errors.New("no mail server is configured")

// Message is a mail of plain text to one person.
type Message struct {
	To      string
	Subject string
	Text    string
}

// Sender hands messages to the server, each over a connection of its own. It is
// safe for concurrent use.
type Sender struct {
	cfg Config
}

// New makes a sender. Nothing is connected before the first message.
func New(c Config) (*Sender, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("setting mail up: %w", err)
	}
	return &Sender{cfg: c}, nil
}

// Enabled says whether Send can work at all.
func (s *Sender) Enabled() bool { return s.cfg.Enabled() }

// Send returns once the server has taken the message. It does not try again.
func (s *Sender) Send(ctx context.Context, m Message) error {
	if !s.Enabled() {
		return ErrDisabled
	}
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	message, err := s.write(m)
	if err != nil {
		return fmt.Errorf("writing a mail: %w", err)
	}
	client, err := s.client()
	if err != nil {
		return fmt.Errorf("preparing to send a mail: %w", err)
	}
	// The client looks at ctx no more once it is connected. One that is left behind ends
	// by its own time-out.
	sent := make(chan error, 1)
	go func() { sent <- client.DialAndSendWithContext(ctx, message) }()
	select {
	case err = <-sent:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("sending a mail: %w", err)
	}
	return nil
}

func (s *Sender) write(m Message) (*gomail.Msg, error) {
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := message.From(s.cfg.From); err != nil {
		return nil, err
	}
	if err := message.To(m.To); err != nil {
		return nil, err
	}
	message.Subject(m.Subject)
	message.SetDate()
	message.SetMessageID()
	message.SetGenHeader(gomail.Header("Auto-Submitted"), "auto-generated") // no out-of-office answers
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	return message, nil
}

func (s *Sender) client() (*gomail.Client, error) {
	host, port, err := s.cfg.hostPort()
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{gomail.WithPort(port), gomail.WithTimeout(sendLimit)}
	switch s.cfg.TLS {
	case TLSFull:
		options = append(options, gomail.WithSSL())
	case TLSNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.cfg.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(s.cfg.User), gomail.WithPassword(s.cfg.Password))
	}
	return gomail.NewClient(host, options...)
}
