package webui_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/browser"
)

// go test ./pkg/webui -run Look -args -screenshots DIR [-photo FILE] [-only PATTERN].
func screenshotFlags() (dir, photo, only *string) {
	find := func(name, usage string) *string {
		if f := flag.Lookup(name); f != nil {
			value := f.Value.String()
			return &value
		}
		return flag.String(name, "", usage)
	}
	return find("screenshots", "folder for a screenshot of every page"), find("photo", "JPEG to show as every photo"), find("only", "pictures to look at, by a pattern of their names")
}

func TestMain(m *testing.M) {
	screenshotFlags()
	flag.Parse()
	os.Exit(m.Run())
}

// picture is a view of a page in one of its states.
type picture struct {
	name string
	page string
	data any
}

const policy = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func TestEveryPageLooksRight(t *testing.T) {
	t.Parallel()
	dir, photo, only := screenshotFlags()
	address := serve(t, pictures(), *photo)
	tab := browser.Open(t)
	schemes, widths := []string{"light"}, []int64{390, 1440}
	if *dir != "" {
		schemes, widths = append(schemes, "dark"), append(widths, 768)
	}
	for _, scheme := range schemes {
		tab.Scheme(scheme)
		for _, width := range widths {
			tab.Size(width, map[bool]int64{true: 844, false: 900}[width < 600])
			for _, p := range pictures() {
				if wanted, err := path.Match(cmp.Or(*only, "*"), p.name); err != nil || !wanted {
					continue
				}
				tab.Go(address + "/see/" + p.name)
				tab.Await(`[...document.images].every((i) => i.complete || i.loading === 'lazy')`)
				if browser.Eval[bool](tab, `!document.querySelector('main h1')`) {
					t.Errorf("%s has no title", p.name)
				}
				if *dir != "" {
					tab.Screenshot(filepath.Join(*dir, fmt.Sprintf("%s-%d-%s.png", p.name, width, scheme)))
				}
				if over := browser.Eval[int](tab, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s at %d px is %d px too wide", p.name, width, over)
				}
				if hidden := browser.Eval[[]string](tab, scrollsSideways); width < 600 && len(hidden) > 0 {
					t.Errorf("%s at %d px hides a part of %q until it is pushed aside", p.name, width, hidden)
				}
				if found := tab.Problems(); len(found) > 0 {
					t.Errorf("%s: the browser complains of %q", p.name, found)
				}
			}
		}
	}
}

// scrollsSideways finds what shows only a part of its width, beside the operators'
// tables, whose columns are compared with each other.
const scrollsSideways = `[...document.querySelectorAll('main:not(.operators):not(:has(.live)) *')].filter((e) => e.scrollWidth > e.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX)).map((e) => e.tagName + '.' + e.className + ' ' + e.firstElementChild?.className)`

// serve gives the address of a site that shows every picture under its name.
func serve(t *testing.T, all []picture, photoFile string) string {
	t.Helper()
	kit, err := webui.New()
	if err != nil {
		t.Fatal(err)
	}
	photo := paint(t)
	if photoFile != "" {
		if photo, err = os.ReadFile(photoFile); err != nil {
			t.Fatal(err)
		}
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ErrorHandler: func(c *fiber.Ctx, err error) error {
		t.Errorf("%s: %v", c.Path(), err)
		return c.SendStatus(500)
	}})
	app.Use(func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentSecurityPolicy, policy)
		return c.Next()
	})
	kit.Mount(app)
	for _, path := range []string{"/photos/:id/image/:variant", "/jobs/:id/image/:variant"} {
		app.Get(path, func(c *fiber.Ctx) error { return c.Type("jpg").Send(photo) })
	}
	silent := func(c *fiber.Ctx) error { // a stream that says nothing
		c.Set(fiber.HeaderContentType, "text/event-stream")
		return c.SendString("retry: 600000\n\n: nothing\n\n")
	}
	app.Get("/events/:page", silent)
	app.Get("/photos/events", silent)
	app.Get("/photos/live", silent)
	app.Get("/v1/detections/:id/events", silent)
	for _, p := range all {
		app.Get("/see/"+p.name, func(c *fiber.Ctx) error {
			if refused, is := p.data.(*problem.Problem); is {
				defer c.Status(200) // the browser would complain of another
				return kit.RenderError(c, refused)
			}
			return kit.Render(c, p.page, p.data)
		})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	t.Cleanup(func() {
		if err := app.ShutdownWithTimeout(time.Second); err != nil {
			t.Logf("shutting down: %v", err)
		}
		<-served
	})
	return "http://" + listener.Addr().String()
}

// paint makes a photo of some circles on a slope.
func paint(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 1200, 800))
	for y := range 800 {
		for x := range 1200 {
			c := color.RGBA{uint8(60 + x/12), uint8(90 + y/8), 130, 255}
			for _, f := range faces() {
				b := f.Box
				dx, dy := (2*x-b.XMin-b.XMax)*100/(b.XMax-b.XMin), (2*y-b.YMin-b.YMax)*100/(b.YMax-b.YMin)
				if dx*dx+dy*dy < 8100 {
					c = color.RGBA{226, 180, 150, 255}
				}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func faces() []job.Face {
	return []job.Face{
		{Label: job.LabelMasked, Confidence: 0.974, Box: job.Box{XMin: 180, YMin: 160, XMax: 330, YMax: 350}},
		{Label: job.LabelUnmasked, Confidence: 0.91, Box: job.Box{XMin: 500, YMin: 120, XMax: 640, YMax: 300}},
		{Label: job.LabelMasked, Confidence: 0.66, Box: job.Box{XMin: 860, YMin: 260, XMax: 1040, YMax: 490}},
	}
}

func photoIn(state job.State, name string) job.Photo {
	p := job.Photo{
		ID: uuid.Must(uuid.NewV7()), Source: job.SourceUpload, Filename: name, Bytes: 2_431_000, Width: 1200, Height: 800,
		ContentType: "image/jpeg", CreatedAt: time.Now().Add(-75 * time.Second), OriginalKey: "o", Row: job.Row{State: state, Attempts: 1},
	}
	switch state {
	case job.StateSucceeded:
		p.ThumbnailKey = "t"
		p.Result = &job.Result{
			Faces: faces(), Width: 1200, Height: 800, Model: job.Model{Name: "maskfleet", Version: "0.1.0"},
			Timing: job.Timing{Queued: 18 * time.Millisecond, Inference: 84 * time.Millisecond, Total: 131 * time.Millisecond},
		}
	case job.StateFailed:
		p.Failure = job.Fail(job.CodeWorkerLost, nil)
		p.Row.Attempts = job.MaxAttempts
	}
	return p
}

func cards(n int) []webui.Card {
	names := []string{"gate-7-0001.jpg", "IMG_20261123_081544 with quite a long name (copy 2).jpeg", "lobby.webp", "Aufnahme vor dem Werkstor.png"}
	states := []job.State{job.StateSucceeded, job.StateProcessing, job.StateSucceeded, job.StateQueued, job.StateFailed, job.StateSucceeded}
	list := make([]webui.Card, n)
	for i := range list {
		p := photoIn(states[i%len(states)], names[i%len(names)])
		if p.Result != nil {
			p.Result.Faces = p.Result.Faces[:i%4*3/4]
			p.CreatedAt = p.CreatedAt.Add(-time.Duration(i*i) * time.Minute)
		}
		list[i] = webui.NewCard(p)
	}
	return list
}

func pictures() []picture {
	door := func(title, nav string) webui.Frame {
		return webui.Frame{Site: webui.SiteDoor, Title: title, Nav: nav, User: "admin"}
	}
	upload := func(n int) webui.UploadPage {
		return webui.UploadPage{Frame: door("Upload", webui.NavUpload), Recent: cards(n), MaxPhotoBytes: 10 << 20}
	}
	refused := upload(3)
	refused.Refused = []webui.Refused{{Name: "notes.jpg", Reason: "The file is not a JPEG, PNG, WebP or BMP photo."}}
	photos := func(n int, query webui.ListQuery) webui.PhotosPage {
		page := webui.PhotosPage{
			Frame: door("Photos", webui.NavPhotos), Query: query, Cards: cards(n), First: true, Newest: "x", Today: "2026-11-23",
			Tabs: []webui.Tab{{Count: 201 * n, URL: "/photos"}},
		}
		for i, c := range webui.Lists() {
			page.Tabs = append(page.Tabs, webui.Tab{Category: c, Count: n * i * 17, URL: query.Of(c).URL()})
		}
		if n > 1 {
			page.Older = query.Older("x")
		}
		return page
	}
	search := webui.ListQuery{Category: job.CategorySomeMasked, Search: "gate", From: "2026-11-01", To: "2026-11-23"}
	deleted := photos(3, webui.ListQuery{})
	deleted.Deleted = 12
	photo := func(p job.Photo, show string) webui.PhotoPage {
		page := webui.NewPhotoPage(door(p.Filename, webui.NavPhotos), p, show)
		page.Newer, page.Older, page.Query = "x", "y", webui.ListQuery{Category: job.CategorySomeMasked}
		return page
	}
	retrying := photoIn(job.StateQueued, "lobby.webp")
	retrying.Failure = job.Fail(job.CodeInferenceTimeout, nil)
	crowd := photoIn(job.StateSucceeded, "crowd.jpg")
	for range 4 {
		crowd.Result.Faces = append(crowd.Result.Faces, faces()...)
	}
	crowd.Result.Faces[4].Label = job.LabelIncorrect
	none := photoIn(job.StateSucceeded, "empty street.jpg")
	none.Result.Faces = nil
	link := photoIn(job.StateQueued, "")
	link.Source, link.Link, link.OriginalKey, link.Width, link.Bytes = job.SourceLink, "https://cameras.example/site-4/gate/2026-11-23/0815.jpg", "", 0, 0
	outside := webui.Frame{Site: webui.SiteDoor, Title: "New password"}
	admin := door("Users", webui.NavUsers)
	admin.Admin = true
	key := webui.KeyRow{ID: uuid.NewString(), Name: "gate cameras", Prefix: "mf_3fk2", Scopes: []string{"read", "write"}, CreatedAt: time.Now().Add(-49 * time.Hour), LastUsedAt: time.Now().Add(-12 * time.Second)}
	return append([]picture{
		{"login", "login", webui.LoginPage{Frame: webui.Frame{Site: webui.SiteDoor, Title: "Log in"}, Recover: "/password/forgotten"}},
		{"login-wrong", "login", webui.LoginPage{Frame: webui.Frame{Site: webui.SiteManager, Title: "Log in"}, Username: "admin", Wrong: "The name or the password is wrong."}},
		{"upload-empty", "upload", upload(0)},
		{"upload-one", "upload", upload(1)},
		{"upload-many", "upload", upload(23)},
		{"upload-refused", "upload", refused},
		{"photos-empty", "photos", photos(0, webui.ListQuery{})},
		{"photos-empty-list", "photos", photos(0, webui.ListQuery{Category: job.CategoryAllMasked})},
		{"photos-one", "photos", photos(1, webui.ListQuery{})},
		{"photos-many", "photos", photos(50, webui.ListQuery{})},
		{"photos-search", "photos", photos(8, search)},
		{"photos-nothing-found", "photos", photos(0, search)},
		{"photos-deleted", "photos", deleted},
		{"delete", "delete", webui.DeletePage{Frame: door("Delete", webui.NavPhotos), Count: 1284, Query: search, All: true, Newest: "x"}},
		{"delete-one", "delete", webui.DeletePage{Frame: door("Delete", webui.NavPhotos), Count: 1, IDs: []string{"x"}}},
		{"photo", "photo", photo(photoIn(job.StateSucceeded, "gate-7-0001.jpg"), "")},
		{"photo-crowd", "photo", photo(crowd, "")},
		{"photo-no-faces", "photo", photo(none, "")},
		{"photo-only", "photo", photo(photoIn(job.StateSucceeded, "gate-7-0001.jpg"), webui.ShowOriginal)},
		{"photo-processing", "photo", photo(photoIn(job.StateProcessing, "gate-7-0001.jpg"), "")},
		{"photo-retrying", "photo", photo(retrying, "")},
		{"photo-link", "photo", photo(link, "")},
		{"photo-failed", "photo", photo(photoIn(job.StateFailed, "gate-7-0001.jpg"), "")},
		{"account-empty", "account", webui.AccountPage{Frame: door("Account", webui.NavAccount), Role: "administrator"}},
		{"account", "account", webui.AccountPage{Frame: door("Account", webui.NavAccount), Role: "administrator", Keys: []webui.KeyRow{key, key}, Sources: []string{"s3://cameras/2026/", "s3://an-archive-with-a-long-name-of-the-second-site/gates/north/"}, NewKey: "mf_3fk2h9x8Jw0sPqLmVtZbRyUcEaNdGi7o", NewName: "gate cameras"}},
		{"apidocs", "apidocs", apiDocs()},
		{"forgotten", "forgotten", webui.ForgottenPage{Frame: outside, Mail: true}},
		{"forgotten-sent", "forgotten", webui.ForgottenPage{Frame: outside, Mail: true, Sent: true}},
		{"forgotten-no-mail", "forgotten", webui.ForgottenPage{Frame: outside}},
		{"new-password", "new-password", webui.NewPasswordPage{Frame: outside, Token: "t", Username: "ann", Wrong: "A password needs 10 to 256 characters."}},
		{"new-password-over", "new-password", webui.NewPasswordPage{Frame: outside, Over: true}},
		{"new-password-done", "new-password", webui.NewPasswordPage{Frame: outside, Username: "ann", Done: true}},
		{"users", "users", users(12)},
		{"users-none", "users", users(0)},
		{"user", "user", webui.UserPage{Frame: admin, UserRow: users(3).Users[1], Roles: roles(), Mail: true}},
		{"user-sources", "user", webui.UserPage{Frame: admin, UserRow: users(3).Users[1], Roles: roles(), Sources: "s3://cameras/2026/\ns3://an-archive-with-a-long-name-of-the-second-site/gates/north/"}},
		{"user-wrong-sources", "user", webui.UserPage{Frame: admin, UserRow: users(3).Users[1], Roles: roles(), Sources: "s3://cameras/2026", WrongSources: "This is no place in S3: \"s3://cameras/2026\" must end with a slash. It is written s3://bucket/folder/ with a slash at its end, or s3://bucket/ for all of a bucket."}},
		{"user-new-password", "user", webui.UserPage{Frame: admin, UserRow: users(3).Users[1], Roles: roles(), NewPassword: "K3WQ7JFTN5GXH2BV6MZC4YDPRA"}},
		{"user-erasing", "user", webui.UserPage{Frame: admin, UserRow: users(4).Users[3], Roles: roles()}},
		{"user-self", "user", webui.UserPage{Frame: admin, UserRow: users(1).Users[0], Roles: roles(), Self: true}},
		{"error-unavailable", "error", problem.Unavailable(nil)},
		{"error-not-found", "error", problem.New(404, problem.CodeNotFound, "There is no such photo.")},
	}, append(webhookPictures(), managerPictures()...)...)
}

func apiDocs() webui.APIDocsPage {
	detection := webui.APIType{Schema: "Detection"}
	return webui.APIDocsPage{
		Frame: webui.Frame{Site: webui.SiteDoor, Title: "HTTP API"}, About: "Photos one by one, by link or in batches.", Document: "/v1/openapi.json",
		Groups: []webui.APIGroup{{Name: "Detections", About: "One photo each.", Calls: []webui.APICall{{
			ID: "createDetection", Method: "POST", Path: "/v1/detections", Summary: "Submit one photo", Scope: "write",
			Parameters: []webui.APIField{{Name: "Prefer", In: "header", Type: webui.APIType{Words: "string"}, About: "wait=N: answer with the result if it is done within N seconds."}},
			Bodies:     []webui.APIContent{{Kind: "application/json", Type: webui.APIType{Schema: "DetectionRequest"}}, {Kind: "multipart/form-data"}},
			Answers:    []webui.APIAnswer{{Status: "202", About: "Accepted.", Contents: []webui.APIContent{{Kind: "application/json", Type: detection}}}, {Status: "401", About: "No valid key."}},
		}}}},
		Schemas: []webui.APISchema{{Name: "Detection", About: "A photo and what was found in it.", Fields: []webui.APIField{
			{Name: "custom_id", Type: webui.APIType{Words: "string or null"}, Required: true, About: "Of an item of a batch: its client's own name."},
			{Name: "metadata", Type: webui.APIType{Words: "object"}},
		}}},
	}
}

func roles() []string { return []string{"user", "viewer", "operator", "administrator"} }

func users(n int) webui.UsersPage {
	page := webui.UsersPage{
		Frame: webui.Frame{Site: webui.SiteDoor, Title: "Users", Nav: webui.NavUsers, User: "admin", Admin: true},
		First: true, Roles: roles(), Mail: true, Search: "", Next: "/users?after=x",
		Made: &webui.MadeUser{ID: "x", Username: "ann", Password: "K3WQ7JFTN5GXH2BV6MZC4YDPRA"},
	}
	states := []string{webui.UserOpen, webui.UserOpen, webui.UserClosed, webui.UserErasing}
	for i := range n {
		row := webui.UserRow{
			ID: uuid.NewString(), Username: fmt.Sprintf("person.%d", i), Email: fmt.Sprintf("person.%d@site.example", i), Role: roles()[i*3%4],
			State: states[i%4], Photos: i * i * 317, Bytes: int64(i) * 731_000_000, CreatedAt: time.Now().Add(-1000 * time.Hour),
		}
		if i%3 > 0 {
			row.LastSeenAt = time.Now().Add(-time.Duration(i*i) * time.Hour)
		}
		page.Users = append(page.Users, row)
	}
	return page
}
