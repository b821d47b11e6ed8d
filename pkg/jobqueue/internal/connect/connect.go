package connect

import (
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	dialTimeout  = 2 * time.Second
	writeTimeout = 2 * time.Second // of one write to the socket

	reconnectWait   = 200 * time.Millisecond
	reconnectJitter = 300 * time.Millisecond
	pingInterval    = 5 * time.Second // two unanswered: the connection is dead
	maxPingsUnheard = 2
)

// DrainTimeout bounds the end of a connection in good order.
const DrainTimeout = 3 * time.Second

// Login is where to connect, and as whom.
type Login struct {
	URL      string // several: comma between them
	User     string // empty: none; else one token of a subject
	Password string
	Client   string // the name under which the broker lists the connection
}

// Commands is the login of the connection over which the user's service answers
// commands: another user of the same password, in an account where nobody asks.
func (l Login) Commands() Login {
	if l.User != "" {
		l.User += "-commands"
	}
	l.Client += " commands"
	return l
}

// Dial makes a connection; more options go after those of the house. An error is one
// of the settings, never that the broker is away.
func Dial(login Login, log *slog.Logger, more ...nats.Option) (*nats.Conn, error) {
	options := []nats.Option{
		nats.Name(login.Client),
		nats.Timeout(dialTimeout),
		nats.FlusherTimeout(writeTimeout),
		nats.DrainTimeout(DrainTimeout),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(maxPingsUnheard),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		nats.IgnoreAuthErrorAbort(), // else a wrong password, even for a moment, ends reconnecting for ever
		nats.ReconnectBufSize(-1),   // nothing is kept for later: who publishes learns at once that it failed
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { lost(log, err) }),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			log.Info("connection to the broker is back", "server", nc.ConnectedServerName())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("broker reported an error", "err", err)
		}),
	}
	if login.User != "" {
		options = append(options,
			nats.UserInfo(login.User, login.Password),
			nats.CustomInboxPrefix("_INBOX_"+login.User)) // where nobody else may listen
	}
	nc, err := nats.Connect(login.URL, append(options, more...)...)
	if err != nil {
		return nil, err
	}
	if !nc.IsConnected() {
		log.Warn("broker not reached yet", "err", nc.LastError())
	}
	return nc, nil
}

func lost(log *slog.Logger, err error) {
	if err != nil { // nil: we closed it
		log.Warn("connection to the broker lost", "err", err)
	}
}

// OnLoss is Dial's option to be told of a lost connection as well.
func OnLoss(log *slog.Logger, tell func()) nats.Option {
	return nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
		tell()
		lost(log, err)
	})
}
