package webui

import "github.com/gofiber/fiber/v2"

// Site is one of the two sites that share the look.
type Site string

// The sites.
const (
	SiteDoor    Site = "door"    // for staff
	SiteManager Site = "manager" // for operators
)

// The entries of the bar at the top, for Frame.Nav.
const (
	NavUpload   = "upload"
	NavPhotos   = "photos"
	NavAccount  = "account"
	NavUsers    = "users"
	NavOverview = "overview"
	NavFleet    = "fleet"
	NavQueue    = "queue"
	NavJobs     = "jobs"
	NavFailures = "failures"
	NavScaling  = "scaling"
	NavErase    = "erase"
	NavAudit    = "audit"
	NavHealth   = "health"
)

// Frame is what every page shows around its content. Every page's type embeds it.
type Frame struct {
	Site  Site
	Title string
	Nav   string // the active entry; "" for none
	User  string // who is logged in; "" before log-in
	Admin bool   // they administer accounts

	// Of the manager.
	Operator bool // they may steer the fleet
	Said     *Said
}

// Said is what came of the last thing that somebody did, shown once.
type Said struct {
	Words string `json:"words"`
	Wrong bool   `json:"wrong,omitempty"`
}

// localFrame is the key of the frame that a request carries for its error page.
type localFrame struct{}

// Remember gives the frame to the error page, should the request end in one.
func Remember(c *fiber.Ctx, frame Frame) { c.Locals(localFrame{}, frame) }

func remembered(c *fiber.Ctx) Frame {
	frame, _ := c.Locals(localFrame{}).(Frame)
	return frame
}

// LoginPage fills page "login".
type LoginPage struct {
	Frame
	Username string // as typed before
	Next     string // where to go afterwards
	Wrong    string // a sentence, when the last try was refused
	Recover  string // where to go with a forgotten password; "" for nowhere
}

// ErrorPage fills page "error".
type ErrorPage struct {
	Frame
	Status    int
	Detail    string
	RequestID string
	Path      string // what was asked for
	Again     bool   // asking again may succeed
}
