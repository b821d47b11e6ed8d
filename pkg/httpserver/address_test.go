package httpserver_test

import (
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// What is told apart by its path, as are repeated requests, must have one path only.
func TestEveryRouteHasOneAddress(t *testing.T) {
	t.Parallel()
	s := serve(t, 0, func(app *fiber.App) {
		app.Get("/v1/things", func(c *fiber.Ctx) error { return c.SendString("things") })
	})
	for path, want := range map[string]int{
		"/v1/things": http.StatusOK, "/v1/things?a=b": http.StatusOK,
		"/v1/things/": http.StatusNotFound, "/V1/things": http.StatusNotFound, "/v1/Things": http.StatusNotFound,
	} {
		if response, _ := s.do(t, http.MethodGet, path, nil, nil); response.StatusCode != want {
			t.Errorf("%s gives %d, want %d", path, response.StatusCode, want)
		}
	}
}
