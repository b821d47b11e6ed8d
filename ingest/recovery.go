package ingest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"maskfleet/pkg/account"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/mail"
	"maskfleet/pkg/problem"
)

// recoveriesWaiting is how many requests for a new password may wait to be looked at.
const recoveriesWaiting = 100

// recoverer writes to people about their passwords. Requests are looked at after they
// were answered: neither the answer nor its time tells whether there is an account.
type recoverer struct {
	accounts *account.Accounts
	sender   *mail.Sender
	site     string // address of the pages, without a slash at its end
	log      *slog.Logger
	asked    chan string
}

func newRecoverer(accounts *account.Accounts, sender *mail.Sender, site string, log *slog.Logger) *recoverer {
	return &recoverer{
		accounts: accounts, sender: sender, site: strings.TrimSuffix(site, "/"), log: log,
		asked: make(chan string, recoveriesWaiting),
	}
}

// enabled says whether anybody can be written to.
func (r *recoverer) enabled() bool { return r.sender.Enabled() }

// ask lets the account of that name or e-mail address recover its password, if there
// is one.
func (r *recoverer) ask(nameOrEmail string) error {
	select {
	case r.asked <- nameOrEmail:
		return nil
	default:
		return problem.Unavailable(errors.New("too many recoveries wait"))
	}
}

// Run looks at the requests, one after the other, until ctx ends. Who gets no mail
// asks again.
func (r *recoverer) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case who := <-r.asked:
			if err := r.recover(ctx, who); err != nil && ctx.Err() == nil {
				r.log.WarnContext(ctx, "password recovery not mailed", "err", err)
			}
		}
	}
}

func (r *recoverer) recover(ctx context.Context, who string) error {
	begun, err := r.accounts.BeginRecovery(ctx, who)
	for _, one := range begun {
		err = errors.Join(err, r.sender.Send(ctx, mail.Message{
			To:      one.User.Email,
			Subject: "A new password for Maskfleet",
			Text: "Hello " + one.User.Username + ",\n\n" +
				"somebody, probably you, asked for a new password for Maskfleet. Choose one here within 30 minutes:\n\n" +
				r.link(one.Token) + "\n\n" +
				"The link works once. If you did not ask, do nothing: your password stays as it is.\n",
		}))
	}
	return err
}

// invite writes to the owner of an account that an administrator made.
func (r *recoverer) invite(ctx context.Context, user jobstore.User, by string) error {
	token, err := r.accounts.Invite(ctx, user)
	if err != nil {
		return err
	}
	return r.sender.Send(ctx, mail.Message{
		To:      user.Email,
		Subject: "Your account at Maskfleet",
		Text: "Hello " + user.Username + ",\n\n" +
			by + " made an account for you at Maskfleet, which tells for every face in a photo whether a mask is worn.\n" +
			"Choose your password here within 7 days:\n\n" +
			r.link(token) + "\n\n" +
			"Your name for logging in is: " + user.Username + "\n",
	})
}

// link leads to the page that takes the new password. It is made of the configured
// address only, never of what a request calls the site.
func (r *recoverer) link(token string) string {
	return r.site + "/password/new?" + url.Values{"token": {token}}.Encode()
}

// mailProblem is what is told of a mail that could not be sent.
func mailProblem(err error) error {
	return problem.New(http.StatusServiceUnavailable, problem.CodeUnavailable,
		"The mail could not be sent. Please try again in a while.").WithCause(err)
}
