package manager

import (
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
	page.Newest = "/audit?" + query.Encode()
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

func auditRow(a jobstore.Audit) webui.AuditRow {
	row := webui.AuditRow{
		ID: a.ID.String(), At: a.At, Actor: a.Actor, Action: a.Action, Subject: a.Subject,
		Via: a.Detail["via"], Outcome: a.Detail["outcome"], Host: a.Detail["host"],
	}
	for _, name := range slices.Sorted(maps.Keys(a.Detail)) {
		if name != "via" && name != "outcome" && a.Detail[name] != "" {
			row.Detail = append(row.Detail, webui.Fact{Name: words(name), Value: a.Detail[name]})
		}
	}
	return row
}
