package webui

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/problem"
)

// themeCookie keeps the choice of the light and dark switch; the page's script
// writes it, and it is read here so that a page never flashes in the other theme.
const themeCookie = "theme"

// Kit renders pages and serves what they are made of. No page needs an inline
// script or style, so that the policy of httpserver can forbid them. It is safe for
// use by many requests at once.
type Kit struct {
	assets *assets
	pages  map[string]*template.Template
}

// New parses every template and hashes every static file. It returns
// ErrVendorMissing when the third-party scripts were not there at build time.
func New() (*Kit, error) {
	found, err := loadAssets(staticFiles, vendored)
	if err != nil {
		return nil, err
	}
	k := &Kit{assets: found, pages: map[string]*template.Template{}}
	base, err := template.New("base").Funcs(k.funcs()).ParseFS(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("parsing the kit's templates: %w", err)
	}
	files, err := fs.Glob(templateFiles, "templates/pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("listing pages: %w", err)
	}
	for _, file := range files {
		page, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("cloning the kit's templates: %w", err)
		}
		if _, err := page.ParseFS(templateFiles, file); err != nil {
			return nil, fmt.Errorf("parsing %s: %w", file, err)
		}
		k.pages[strings.TrimSuffix(path.Base(file), ".html")] = page
	}
	return k, nil
}

// Mount serves the static files.
func (k *Kit) Mount(app fiber.Router) { app.Get(staticRoot+":name", k.assets.serve) }

// shell is what the layout is executed with.
type shell struct {
	Theme string
	Page  any
}

// Render answers with a whole page. data is the page's own type from this package,
// which embeds Frame. The status set on c before stays.
func (k *Kit) Render(c *fiber.Ctx, page string, data any) error {
	theme := c.Cookies(themeCookie)
	if theme != "light" && theme != "dark" {
		theme = ""
	}
	return k.send(c, page, "layout", shell{Theme: theme, Page: data})
}

// RenderFragment answers with one named part of a page, for a script to put in place.
func (k *Kit) RenderFragment(c *fiber.Ctx, page, fragment string, data any) error {
	return k.send(c, page, fragment, data)
}

func (k *Kit) send(c *fiber.Ctx, page, name string, data any) error {
	html, err := k.HTML(page, name, data)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(html)
}

// HTML renders one named part of a page, such as the part that an event stream
// sends to many browsers at once.
func (k *Kit) HTML(page, name string, data any) ([]byte, error) {
	t, there := k.pages[page]
	if !there {
		return nil, fmt.Errorf("no page %q", page)
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, name, data); err != nil {
		return nil, fmt.Errorf("rendering %s of page %s: %w", name, page, err)
	}
	return out.Bytes(), nil
}

// RenderError answers with the page of a problem: what happened, whether anything
// was lost and what to do, never its cause.
func (k *Kit) RenderError(c *fiber.Ctx, p *problem.Problem) error {
	c.Status(p.Status)
	if after := p.RetryAfterHeader(); after != "" {
		c.Set(fiber.HeaderRetryAfter, after)
	}
	frame := remembered(c)
	frame.Title, frame.Nav = p.Title, ""
	return k.Render(c, "error", ErrorPage{
		Frame:     frame,
		Status:    p.Status,
		Detail:    p.Detail,
		RequestID: c.GetRespHeader(fiber.HeaderXRequestID),
		Again:     p.RetryAfter > 0,
		Path:      c.OriginalURL(),
	})
}

func (k *Kit) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":     k.assets.url,
		"ago":       func(t time.Time) template.HTML { return Ago(t, time.Now()) },
		"age":       func(t time.Time) string { return Duration(time.Since(t)) },
		"number":    Number,
		"count":     Count,
		"duration":  Duration,
		"bytes":     Bytes,
		"megabytes": func(n int64) string { return strconv.FormatInt(n>>20, 10) + thinSpace + "MB" },
		"percent":   Percent,
		"state":     StateWord,
		"label":     LabelWord,
		"role":      RoleWords,
		"category":  CategoryWord,
		"counts":    CountsWords,
		"dict":      dict,
		"increment": func(n int) int { return n + 1 },
		"upTo":      func(n int) []struct{} { return make([]struct{}, max(0, n)) },
		"value":     valueOf,
		"spark":     Spark,
		"shares":    SparkPercent,
		"latest":    last,
		"clock":     Clock,
		"told":      Told,
		"choose":    choose,
		"command":   func(id, subject, request string) Command { return NewCommand(id, subject, []byte(request)) },
		"list":      func(words ...string) []string { return words },
		"fleet":     fleetSize,
		"instances": fleetWords,

		"fleetCommands": fleetCommands,
		"fleetSorts":    fleetSorts,
		"terms":         Terms,
		"tenths":        Tenths,
		"hundredths":    Hundredths,
		"decisionsURL":  DecisionsURL,
	}
}

var errOddDict = errors.New("dict wants pairs of a name and a value")

// dict gathers the arguments of a kit template: {{template "empty" (dict "Title" "…")}}.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errOddDict
	}
	out := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, isText := pairs[i].(string)
		if !isText {
			return nil, errOddDict
		}
		out[name] = pairs[i+1]
	}
	return out, nil
}

// valueOf is the text of a reading, or a dash as long as there was none.
func valueOf(r Reading, text string) string {
	if !r.Known() {
		return "\u2013"
	}
	return text
}

// choose is a text if there is something, such as the class of a number that is bad
// above zero.
func choose(n int, text string) string {
	if n == 0 {
		return ""
	}
	return text
}

// fleetSize is how many instances there are, by who counts them.
func fleetSize(news ScalingNews) string {
	if news.Last == nil {
		return "\u2013"
	}
	return Number(news.Last.Size)
}

func fleetWords(news ScalingNews) string {
	switch {
	case news.Last == nil:
		return ""
	case news.Last.Target != news.Last.Size:
		return "instances, " + Number(news.Last.Target) + " wanted"
	default:
		return plural(news.Last.Size, "instance", "instances")
	}
}
