package manager

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
)

const auditPage = 50

func (s *Service) auditPages() []route { return []route{look("/audit", s.showAudit)} }

// showAudit answers GET /audit with what was done by pages, commands and the API alike.
func (s *Service) showAudit(c *fiber.Ctx) error {
	get := func(name string) string { return strings.TrimSpace(strings.Clone(c.Query(name))) }
	page := webui.AuditPage{
		Frame: frame(c, "Audit", webui.NavAudit), Actor: get("actor"), Action: get("action"), Subject: get("subject"), Via: get("via"),
		From: get("from"), To: get("to"), First: get("before") == "",
	}
	query := url.Values{}
	for _, name := range []string{"actor", "action", "subject", "via", "from", "to"} {
		if value := get(name); value != "" {
			query.Set(name, value)
		}
	}
	page.Chosen = len(query) > 0
	page.Newest = "/audit"
	if page.Chosen {
		page.Newest += "?" + query.Encode()
	}
	page.At = time.Now()
	records, err := s.auditOf(c, page, get("before"))
	var p *problem.Problem
	switch {
	case errors.As(err, &p) && p.Status < http.StatusInternalServerError:
		page.Wrong = p.Detail
	case err != nil:
		return err
	}
	if len(records) > auditPage {
		records = records[:auditPage]
		query.Set("before", records[auditPage-1].ID.String())
		page.Next = "/audit?" + query.Encode()
	}
	for _, r := range records {
		page.Rows = append(page.Rows, auditRow(r))
	}
	if page.First && err == nil {
		if len(records) > 0 {
			query.Set("since", records[0].ID.String())
		}
		page.Events = "/events/audit?" + query.Encode()
	}
	return s.kit.Render(c, "audit", page)
}

func (s *Service) auditOf(c *fiber.Ctx, page webui.AuditPage, before string) ([]jobstore.Audit, error) {
	f := jobstore.AuditFilter{Actor: page.Actor, Action: page.Action, Subject: page.Subject, Via: page.Via, Limit: auditPage + 1}
	var err error
	if f.From, err = readMoment("from", page.From, 0); err != nil {
		return nil, err
	}
	if f.To, err = readMoment("to", page.To, 24*time.Hour); err != nil {
		return nil, err
	}
	if before != "" {
		if f.Before, err = uuid.Parse(before); err != nil {
			return nil, command.InvalidField("before", "is no record's id").WithCause(err)
		}
	}
	ctx, cancel := within(c)
	defer cancel()
	return s.store.SearchAudit(ctx, f)
}

// auditNews is what of the log came since a page was made, among its newest records: the
// one reading of the board serves everybody who looks, whatever they chose.
func (s *Service) auditNews(values url.Values) webui.AuditPage {
	page := webui.AuditPage{
		At: time.Now(), Actor: values.Get("actor"), Action: values.Get("action"), Subject: values.Get("subject"), Via: values.Get("via"),
	}
	to, err := readMoment("to", values.Get("to"), 24*time.Hour)
	if err != nil {
		return page
	}
	since, err := uuid.Parse(values.Get("since"))
	if err != nil {
		since = uuid.UUID{} // the page was empty
	}
	values.Del("since")
	page.Newest = "/audit?" + values.Encode()
	var newest []jobstore.Audit
	newest, page.Read = s.board.audit.last()
	for _, r := range newest {
		switch {
		case bytes.Compare(r.ID[:], since[:]) <= 0,
			page.Actor != "" && r.Actor != page.Actor, !strings.HasPrefix(r.Action, page.Action), page.Subject != "" && r.Subject != page.Subject,
			page.Via != "" && r.Detail["via"] != page.Via, !to.IsZero() && !r.At.Before(to):
			continue
		}
		page.New++
	}
	return page
}

func auditRow(a jobstore.Audit) webui.AuditRow {
	row := webui.AuditRow{
		ID: a.ID.String(), At: a.At, Actor: a.Actor, Action: a.Action, Subject: a.Subject,
		Via: a.Detail["via"], Outcome: a.Detail["outcome"], Host: a.Detail["host"],
	}
	row.Says = auditSays(a)
	if ofScaler(a) {
		row.Via = "by itself"
	}
	for _, name := range slices.Sorted(maps.Keys(a.Detail)) {
		if name != "via" && name != "outcome" && a.Detail[name] != "" {
			row.Detail = append(row.Detail, webui.Fact{Name: words(name), Value: a.Detail[name]})
		}
	}
	return row
}
