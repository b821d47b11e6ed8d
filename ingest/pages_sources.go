package ingest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

// maxS3Sources bounds the list of an account, which is read for every photo from S3.
const maxS3Sources = 100

// setS3Sources answers POST /users/{id}/s3: what the account may name as s3_uri and
// s3_prefix from now on. Whoever may do this may do it for their own account, too.
func (p *pages) setS3Sources(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	user, err := p.userOf(ctx, c)
	if err != nil {
		return err
	}
	sources, wrong := readS3Sources(form.Get("sources"), p.cfg.Images.Bucket)
	if wrong != "" {
		return p.renderUser(c.Status(http.StatusUnprocessableEntity), user, webui.UserPage{Sources: form.Get("sources"), WrongSources: wrong})
	}
	before, err := p.store.S3Sources(ctx, user.ID)
	if err == nil {
		err = p.store.SetS3Sources(ctx, user.ID, sources)
	}
	if err != nil {
		return storeProblem("setting what an account may name", err)
	}
	p.audit(ctx, login.User(c).Username, "user.s3_sources", user.User, map[string]string{
		"before": strings.Join(before, " "), "after": strings.Join(sources, " "),
	})
	done := user.Username + " may name nothing in S3 any more."
	if len(sources) > 0 {
		done = user.Username + " may name photos from these places in S3."
	}
	return p.renderUser(c, user, webui.UserPage{Done: done})
}

// readS3Sources reads a list with one place a line. It says what is wrong with the
// first that is wrong, for the administrator who typed it.
func readS3Sources(text, ownBucket string) (sources job.S3Sources, wrong string) {
	sources = job.S3Sources{} // not nil: nothing is a list, too
	for line := range strings.Lines(text) {
		source := strings.TrimSpace(line)
		if bucket, whole := strings.CutPrefix(source, "s3://"); whole && bucket != "" && !strings.Contains(bucket, "/") {
			source += "/"
		}
		if source == "" || slices.Contains(sources, source) {
			continue
		}
		if err := (job.S3Sources{source}).Validate(); err != nil {
			return nil, fmt.Sprintf("This is no place in S3: %s. It is written s3://bucket/folder/ with a slash at its end, or s3://bucket/ for all of a bucket.", err)
		}
		if bucket, _, _ := job.ParseS3URI(source); bucket == ownBucket {
			return nil, fmt.Sprintf("%s is where this site keeps everybody’s photos. No account may name it.", bucket)
		}
		sources = append(sources, source)
	}
	if len(sources) > maxS3Sources {
		return nil, fmt.Sprintf("These are %d places; at most %d can be kept.", len(sources), maxS3Sources)
	}
	return sources, ""
}
