package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
)

const acceptedRetryAfter = "1" // seconds, where no estimate is; a photo takes about one

// createDetection answers POST /v1/detections.
func (s *Service) createDetection(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	wait, err := s.preferredWait(c)
	if err != nil {
		return err
	}
	photo, err := s.submitted(c, user)
	if err != nil {
		return err
	}
	if wait > 0 {
		// The photo is accepted: whatever goes wrong now, the answer is 2xx.
		if seen, err := s.wait(httpserver.Context(c), user, photo.ID, wait); err == nil {
			photo = seen
		}
		c.Set("Preference-Applied", "wait="+strconv.Itoa(int(wait.Seconds())))
	}
	c.Location(detectionPath(photo.ID))
	d, retryAfter := s.waitingDetection(httpserver.Context(c), photo)
	if retryAfter == "" {
		return c.JSON(d)
	}
	c.Set(fiber.HeaderRetryAfter, retryAfter)
	return c.Status(http.StatusAccepted).JSON(d)
}

func detectionPath(id job.ID) string { return apiRoot + "/detections/" + id.String() }

// preferredWait reads "Prefer: wait=N"; more than the limit counts as the limit,
// because a preference binds nobody.
func (s *Service) preferredWait(c *fiber.Ctx) (time.Duration, error) {
	d, err := waitIn(c.Get("Prefer"))
	return min(d, s.cfg.Waiting.WaitLimit), err
}

// waitIn is the wait in a Prefer header, 0 without one.
func waitIn(prefer string) (time.Duration, error) {
	for preference := range strings.SplitSeq(prefer, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
		if !strings.EqualFold(name, "wait") {
			continue
		}
		d, err := parseSeconds(value)
		if err != nil {
			return 0, problem.New(http.StatusBadRequest, problem.CodeInvalidRequest,
				"“Prefer: wait=” takes a whole number of seconds.").WithCause(err)
		}
		return d, nil
	}
	return 0, nil
}

// queriedWait reads ?wait=N; more than the limit is refused.
func (s *Service) queriedWait(c *fiber.Ctx) (time.Duration, error) {
	text := c.Query("wait")
	if text == "" {
		return 0, nil
	}
	d, err := parseSeconds(text)
	if err != nil || d > s.cfg.Waiting.WaitLimit {
		return 0, problem.New(http.StatusBadRequest, problem.CodeInvalidRequest,
			fmt.Sprintf("“wait” takes a whole number of seconds from 0 to %d.", int(s.cfg.Waiting.WaitLimit.Seconds()))).
			WithField("wait", "is not allowed").WithCause(err)
	}
	return d, nil
}

func parseSeconds(text string) (time.Duration, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	return time.Duration(n) * time.Second, err
}

// getDetection answers GET /v1/detections/{id}.
func (s *Service) getDetection(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	id, err := photoID(c.Params("id"))
	if err != nil {
		return err
	}
	wait, err := s.queriedWait(c)
	if err != nil {
		return err
	}
	ctx := httpserver.Context(c)
	answer, cached, err := s.answered(ctx, user, id)
	if err != nil {
		return err
	}
	if cached {
		return sendTaggedJSON(c, answer)
	}
	photo, err := s.wait(ctx, user, id, wait)
	if err != nil {
		return err
	}
	d, retryAfter := s.waitingDetection(ctx, photo)
	if retryAfter != "" {
		c.Set(fiber.HeaderRetryAfter, retryAfter)
	}
	return sendTagged(c, d)
}

func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// matches compares weakly, as If-None-Match wants it.
func matches(ifNoneMatch, tag string) bool {
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}
