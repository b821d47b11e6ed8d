package manager

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/webui"
)

// saidCookie carries what came of an action to the page that is shown after it, so that
// a reload does not do it again. No other site can set it, and a page escapes it.
const saidCookie = "maskfleet_said"

// say leaves words for the next page.
func say(c *fiber.Ctx, what webui.Said) {
	text, err := json.Marshal(what)
	if err != nil {
		return
	}
	c.Cookie(&fiber.Cookie{
		Name: saidCookie, Value: base64.RawURLEncoding.EncodeToString(text), Path: "/", HTTPOnly: true,
		Secure: httpserver.Secure(c), SameSite: fiber.CookieSameSiteStrictMode, MaxAge: 60,
	})
}

// said takes the words that were left; nil if none were.
func said(c *fiber.Ctx) *webui.Said {
	value := c.Cookies(saidCookie)
	if value == "" {
		return nil
	}
	c.Cookie(&fiber.Cookie{
		Name: saidCookie, Path: "/", HTTPOnly: true, Secure: httpserver.Secure(c),
		SameSite: fiber.CookieSameSiteStrictMode, Expires: time.Unix(1, 0),
	})
	text, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return nil
	}
	var what webui.Said
	if err := json.Unmarshal(text, &what); err != nil {
		return nil
	}
	return &what
}
