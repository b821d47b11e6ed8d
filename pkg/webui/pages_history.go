package webui

import (
	"net/url"
	"time"

	"maskfleet/pkg/job"
)

// ListQuery is what a person chose to see of their photos. It stands in the address
// of the list, and in those of the photos one comes to from there.
type ListQuery struct {
	Category job.Category // "" for all
	Search   string
	From, To string // days as YYYY-MM-DD, both included; "" for no end
}

// Encode is the query of an address, "" for all photos.
func (q ListQuery) Encode() string { return q.values().Encode() }

func (q ListQuery) values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{"category": string(q.Category), "q": q.Search, "from": q.From, "to": q.To} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// Filtered says that fewer than all photos of the list are to be seen.
func (q ListQuery) Filtered() bool { return q.Search != "" || q.From != "" || q.To != "" }

// Of is the same search in another list.
func (q ListQuery) Of(c job.Category) ListQuery {
	q.Category = c
	return q
}

// URL is the address of the list.
func (q ListQuery) URL() string { return withQuery("/photos", q.values()) }

// Older is the address of the part of the list that follows a photo.
func (q ListQuery) Older(id string) string {
	values := q.values()
	values.Set("before", id)
	return withQuery("/photos", values)
}

// Photo is the address of a photo of the list.
func (q ListQuery) Photo(id string) string { return withQuery("/photos/"+id, q.values()) }

func withQuery(path string, values url.Values) string {
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// Lists are the four lists in the order of their tabs.
func Lists() []job.Category {
	return []job.Category{job.CategorySomeMasked, job.CategoryNoneMasked, job.CategoryAllMasked, job.CategoryNoFaces}
}

// Tab is one of the lists with its length.
type Tab struct {
	Category job.Category
	Count    int
	URL      string
}

// PhotosPage fills page "photos".
type PhotosPage struct {
	Frame
	Query   ListQuery
	Tabs    []Tab // all photos, then the four lists
	Cards   []Card
	Newest  string // id of the newest photo when the list was read; "" without any
	Older   string // URL of the next page; "" on the last
	First   bool   // this is the first page
	Deleted int    // how many were deleted a moment ago
	Today   string // YYYY-MM-DD, where the person is
}

// Total is how many photos the list has, on all its pages.
func (p PhotosPage) Total() int {
	for _, t := range p.Tabs {
		if t.Category == p.Query.Category {
			return t.Count
		}
	}
	return 0
}

// Rows are the cards as the list shows them.
func (p PhotosPage) Rows() []PhotoRow {
	rows := make([]PhotoRow, len(p.Cards))
	for i, c := range p.Cards {
		rows[i] = PhotoRow{Card: c, URL: p.Query.Photo(c.ID)}
	}
	return rows
}

// PhotoRow is a photo as a row of the list.
type PhotoRow struct {
	Card
	URL string
}

// DeletePage fills page "delete": what is asked before photos are deleted.
type DeletePage struct {
	Frame
	Count  int
	Query  ListQuery
	IDs    []string // of those that were chosen one by one
	All    bool     // all that the query finds, up to Newest
	Newest string
}

// shownDays is how a range of days is told.
func (q ListQuery) shownDays() string {
	day := func(text string) string {
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return text
		}
		return t.Format("2 January 2006")
	}
	switch {
	case q.From != "" && q.From == q.To:
		return "on " + day(q.From)
	case q.From != "" && q.To != "":
		return "from " + day(q.From) + " to " + day(q.To)
	case q.From != "":
		return "since " + day(q.From)
	case q.To != "":
		return "until " + day(q.To)
	}
	return ""
}

// Words say what the query restricts, for a sentence: "named “gate”, since 1 May 2026".
func (q ListQuery) Words() string {
	words := q.shownDays()
	if q.Search != "" {
		named := "with “" + q.Search + "” in their name"
		if words == "" {
			return named
		}
		return named + ", " + words
	}
	return words
}
