package manager

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
)

// linkGoodFor is how long a link to a picture works: as long as a page takes to load.
const linkGoodFor = time.Minute

// redirectToImage answers GET /jobs/{id}/image/{variant} with a short-lived link. The
// bytes come from S3's own address, never from the manager's: whatever a stranger
// uploaded cannot act in an operator's name.
func (s *Service) redirectToImage(c *fiber.Ctx) error {
	id, err := photoID(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c)
	defer cancel()
	photo, _, err := s.findPhoto(ctx, id)
	if err != nil {
		return err
	}
	key, as := "", imagestore.Disposition{ContentType: "image/jpeg"}
	switch c.Params("variant") {
	case "original":
		key, as.ContentType = photo.OriginalKey, photo.ContentType
		if !strings.HasPrefix(as.ContentType, "image/") || strings.Contains(as.ContentType, "svg") {
			as.ContentType, as.Taking = "application/octet-stream", imagestore.Attachment
		}
	case "upload": // nobody of ours has looked at it: it is saved, never shown
		as = imagestore.Disposition{ContentType: "application/octet-stream", Taking: imagestore.Attachment, Filename: photo.Filename}
		if upload, err := job.ParseUploadID(photo.Link); photo.Source == job.SourceSigned && err == nil {
			key = imagestore.UploadKey(photo.OwnerID, upload)
		}
	case "annotated":
		key = photo.AnnotatedKey
	case "thumbnail":
		key = photo.ThumbnailKey
	}
	if key == "" {
		return problem.New(http.StatusNotFound, problem.CodeNotFound, "This picture of the photo does not exist, or not yet.")
	}
	link, err := s.images.SignedURL(ctx, key, linkGoodFor, as)
	if errors.Is(err, imagestore.ErrUnavailable) {
		return problem.Unavailable(err)
	}
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, max-age=30")
	return c.Redirect(link, http.StatusFound)
}
