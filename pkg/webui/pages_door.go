package webui

import (
	"net/url"
	"strings"
	"time"

	"maskfleet/pkg/job"
)

// Card is a photo in a list or on the upload page.
type Card struct {
	ID         string
	Name       string
	State      job.State
	Counts     job.Counts
	Category   job.Category  // only when succeeded
	Failure    string        // a sentence; only when it failed for good
	Retrying   string        // a sentence; why it waits for another attempt
	Wait       time.Duration // about how long until it is done; zero: nobody knows, or at once
	Retry      bool          // a person may have it tried again
	Thumbnail  bool          // there is one to show
	AcceptedAt time.Time
	Total      time.Duration // from acceptance to result; zero until it succeeded
}

// NewCard shows the photo as a card.
func NewCard(p job.Photo) Card {
	c := Card{
		ID:         p.ID.String(),
		Name:       displayName(p),
		State:      p.Row.State,
		Thumbnail:  p.ThumbnailKey != "",
		AcceptedAt: p.CreatedAt,
	}
	if p.Result != nil && p.Row.State == job.StateSucceeded {
		c.Counts = job.Count(p.Result.Faces)
		c.Category = c.Counts.Category()
		c.Total = p.Result.Timing.Total
		c.Thumbnail = c.Thumbnail || p.Result.ThumbnailKey != ""
	}
	c.Retry = c.State == job.StateExpired
	switch {
	case p.Failure == nil:
	case c.State.Terminal():
		c.Failure = p.Failure.Message()
		c.Retry = c.Retry || c.State == job.StateFailed && p.Failure.Retryable()
	default:
		c.Retrying = p.Failure.Message()
	}
	return c
}

// Open says that the photo is not finished yet.
func (c Card) Open() bool { return !c.State.Terminal() }

// displayName is the file's name, or for a link the place it leads to.
func displayName(p job.Photo) string {
	if p.Filename != "" {
		return p.Filename
	}
	if u, err := url.Parse(p.Link); err == nil && u.Host != "" {
		return u.Host + u.Path
	}
	return "Photo"
}

// Refused is a file or link that was not accepted, and why.
type Refused struct {
	Name   string
	Reason string // a sentence
}

// UploadPage fills page "upload".
type UploadPage struct {
	Frame
	Recent        []Card
	Refused       []Refused
	Link          string // as typed before, when it was refused
	MaxPhotoBytes int64
}

// The ways to look at a photo, for PhotoPage.Show.
const (
	ShowBoxes     = "boxes"     // the original with boxes laid over it
	ShowOriginal  = "original"  // the original alone
	ShowAnnotated = "annotated" // the copy with boxes burnt in
)

// PhotoPage fills page "photo".
type PhotoPage struct {
	Frame
	Card
	Show   string
	Photo  job.Photo
	Result job.Result // zero until it succeeded

	Query        ListQuery // the list one came from
	Newer, Older string    // ids of the photos beside it there; "" at its ends
}

// Beside is the address of a neighbour, looked at in the same way.
func (p PhotoPage) Beside(id string) string { return p.at(p.Query.Photo(id), p.Show) }

// Shown is the address of this photo, looked at in another way.
func (p PhotoPage) Shown(show string) string { return p.at(p.Query.Photo(p.ID), show) }

func (PhotoPage) at(address, show string) string {
	switch {
	case show == ShowBoxes:
		return address
	case strings.Contains(address, "?"):
		return address + "&show=" + show
	default:
		return address + "?show=" + show
	}
}

// Status is the address of the page's changing part.
func (p PhotoPage) Status() string { return withQuery("/photos/"+p.ID+"/status", p.Query.values()) }

// NewPhotoPage shows the photo on its page.
func NewPhotoPage(frame Frame, p job.Photo, show string) PhotoPage {
	if show != ShowOriginal && show != ShowAnnotated {
		show = ShowBoxes
	}
	page := PhotoPage{Frame: frame, Card: NewCard(p), Show: show, Photo: p}
	if p.Result != nil && page.State == job.StateSucceeded {
		page.Result = *p.Result
	}
	return page
}

// Variant names the image that is shown.
func (p PhotoPage) Variant() string {
	if p.Show == ShowAnnotated {
		return "annotated"
	}
	return "original"
}

// TagSize is the size of a face's number in pixels of the photo, for browsers
// without script; with script the numbers keep the size of the page's text.
func (p PhotoPage) TagSize() int { return max(8, max(p.Result.Width, p.Result.Height)/50) }

// TagInside says that there is no room for a face's number above its box.
func (p PhotoPage) TagInside(b job.Box) bool { return b.YMin < p.Result.Height/16 }

// BoxSize is width and height of a box in pixels, which templates cannot subtract.
type BoxSize struct{ Width, Height int }

// Size measures a box.
func (PhotoPage) Size(b job.Box) BoxSize { return BoxSize{b.XMax - b.XMin, b.YMax - b.YMin} }

// KeyRow is an API key in the list of the account page.
type KeyRow struct {
	ID         string
	Name       string
	Prefix     string
	Scopes     []string
	CreatedAt  time.Time
	LastUsedAt time.Time
}

// AccountPage fills page "account".
type AccountPage struct {
	Frame
	Role    string
	Email   string
	Keys    []KeyRow
	Sources []string // what the account may name in S3
	NewKey  string   // in full, only in the answer to its making
	NewName string
	Done    string // a sentence about what was changed
	// Sentences about what was refused: a key, a password, an e-mail address.
	Wrong, WrongPassword, WrongEmail string
}
