package httpserver

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/problem"
)

// contentPolicy allows a page its own scripts and styles, and images from here, from
// its own memory and from the given origins.
func contentPolicy(imageOrigins []string) string {
	images := strings.Join(append([]string{"'self'", "data:", "blob:"}, imageOrigins...), " ")
	return "default-src 'self'; img-src " + images + "; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

// secure sets the security headers. An answer that says nothing about caching is
// not stored by anybody.
func (s *server) secure(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentSecurityPolicy, s.policy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	if Secure(c) {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Next()
}

// Secure says that the browser came by HTTPS: on this connection, as a trusted proxy
// tells, or because the site's public address has no other way in.
func Secure(c *fiber.Ctx) bool {
	if c.Secure() {
		return true
	}
	s, err := serverOf(c)
	return err == nil && s.cfg.publiclySecure()
}

// SameOrigin refuses requests that change something and that another site made the
// browser send, by the rules of net/http's CrossOriginProtection. Requests without
// a browser's headers pass.
func SameOrigin(c *fiber.Ctx) error {
	request := &http.Request{Method: c.Method(), Host: c.Hostname(), URL: &url.URL{Path: c.Path()}, Header: http.Header{}}
	for _, name := range []string{"Sec-Fetch-Site", fiber.HeaderOrigin} {
		if value := c.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	if err := http.NewCrossOriginProtection().Check(request); err != nil {
		return problem.New(http.StatusForbidden, problem.CodeForbidden,
			"This request came from another site. Please go to the page and try again there.").WithCause(err)
	}
	return c.Next()
}

// ClientIP is the address of the client, as far as trusted proxies tell: the last
// one in X-Forwarded-For that is not a proxy's own.
func ClientIP(c *fiber.Ctx) string {
	remote := c.IP()
	s, err := serverOf(c)
	if err != nil || !s.trusts(remote) {
		return remote
	}
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for _, hop := range slices.Backward(hops) {
		hop := strings.TrimSpace(hop)
		if _, err := netip.ParseAddr(hop); err != nil {
			return remote
		}
		remote = hop
		if !s.trusts(hop) {
			return hop
		}
	}
	return remote
}

func (s *server) trusts(address string) bool {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, prefix := range s.proxies {
		if prefix.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}
