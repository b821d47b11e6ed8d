package ingest

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
)

const (
	signedFor = 60 * time.Second
	// A browser may use the redirect again for so long; the link must outlive it.
	redirectFor = "private, max-age=30"
)

// variant is one of the pictures kept of a photo.
type variant string

const (
	variantOriginal  variant = "original"
	variantAnnotated variant = "annotated"
	variantThumbnail variant = "thumbnail"
)

// getDetectionImage answers GET /v1/detections/{id}/image?variant=….
func (s *Service) getDetectionImage(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	photo, err := s.photoOf(c, user)
	if err != nil {
		return err
	}
	link, err := s.imageLink(httpserver.Context(c), photo, variant(c.Query("variant", string(variantOriginal))))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, redirectFor)
	return c.Redirect(link, http.StatusFound)
}

// What a browser does with a picture.
const (
	shown = imagestore.Inline
	saved = imagestore.Attachment
)

// imageLink signs a link to one picture of a photo, good for a minute.
func (s *Service) imageLink(ctx context.Context, photo job.Photo, which variant) (string, error) {
	return s.imageLinkAs(ctx, photo, which, shown)
}

func (s *Service) imageLinkAs(ctx context.Context, photo job.Photo, which variant, how imagestore.Taking) (string, error) {
	var key string
	as := imagestore.Disposition{Filename: photo.Filename, ContentType: "image/jpeg", Taking: how}
	switch which {
	case variantOriginal:
		key, as.ContentType = photo.OriginalKey, photo.ContentType
	case variantAnnotated:
		key, as.Filename = photo.AnnotatedKey, copyName(photo.Filename, "marked")
	case variantThumbnail:
		key, as.Filename = photo.ThumbnailKey, copyName(photo.Filename, "small")
	default:
		return "", problem.New(http.StatusBadRequest, problem.CodeInvalidRequest,
			"“variant” must be original, annotated or thumbnail.").WithField("variant", "is not known")
	}
	if key == "" {
		return "", problem.New(http.StatusNotFound, problem.CodeNotFound, "This picture of the photo does not exist, or not yet.")
	}
	link, err := s.images.SignedURL(ctx, key, signedFor, as)
	if err != nil {
		return "", storeProblem("signing a link", err)
	}
	return link, nil
}

// copyName is the name of a copy, which is a JPEG whatever its original is, and must
// not take the place of the original in somebody's folder.
func copyName(original, kind string) string {
	stem := strings.TrimSuffix(original, filepath.Ext(original))
	if stem == "" {
		stem = "photo"
	}
	return stem + "-" + kind + ".jpg"
}
