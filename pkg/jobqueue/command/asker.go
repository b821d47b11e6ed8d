package command

import (
	"encoding/json"
	"net/http"

	"github.com/nats-io/nats.go/micro"

	"maskfleet/pkg/problem"
)

// Via is the way by which a command came.
type Via string

// The ways.
const (
	ViaNATS Via = "nats" // typed by a person, or asked by a service
	ViaPage Via = "page" // a button of the manager
	ViaAPI  Via = "api"  // the manager's own API
)

// Asker is who asked for a command, and how.
type Asker struct {
	Name string // the broker's user, or the person for whom the manager asks
	Via  Via
	Host string // of the connection
}

const (
	// infoHeader is written by the broker when a request crosses the border of an
	// account that shares, over whatever stood there.
	infoHeader = "Nats-Request-Info"

	// The manager's headers.
	askerHeader = "Maskfleet-Asker"
	viaHeader   = "Maskfleet-Via"

	// As accounts.conf has them.
	askersAccount = "MASKFLEET"
	managersUser  = "manager"

	kindOfClients = "Client" // as against the broker's own words, such as a stream's deliveries
)

// connection is what the broker says of the one that asked.
type connection struct {
	Account string `json:"acc"`
	User    string `json:"user"`
	Host    string `json:"host"`
	Kind    string `json:"kind"`
}

// askerOf takes the asker from what the broker says. A message that no person's or
// service's own connection sent across the border has none: one published within the
// border, one that a consumer delivers, one that lies about itself.
func askerOf(header micro.Headers) (Asker, error) {
	marks := header.Values(infoHeader)
	if len(marks) != 1 {
		return Asker{}, unidentified()
	}
	var c connection
	if err := json.Unmarshal([]byte(marks[0]), &c); err != nil {
		return Asker{}, unidentified().WithCause(err)
	}
	if c.Account != askersAccount || c.Kind != kindOfClients || c.User == "" {
		return Asker{}, unidentified()
	}
	asker := Asker{Name: c.User, Via: ViaNATS, Host: c.Host}
	if c.User != managersUser {
		return asker, nil
	}
	if name, via := header.Get(askerHeader), Via(header.Get(viaHeader)); name != "" && (via == ViaPage || via == ViaAPI) {
		asker.Name, asker.Via = name, via
	}
	return asker, nil
}

func unidentified() *problem.Problem {
	return problem.New(http.StatusUnauthorized, problem.CodeUnauthenticated,
		"The broker does not say whose connection this command came from, so it is not done.")
}
