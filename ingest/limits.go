package ingest

import (
	"time"

	"github.com/gofiber/fiber/v2"
)

// limits is the answer of GET /v1/limits.
type limits struct {
	Photo   photoLimits  `json:"photo"`
	Wait    waitLimits   `json:"wait"`
	Queue   queueLimits  `json:"queue"`
	Batch   batchLimits  `json:"batch"`
	Uploads uploadLimits `json:"uploads"`
	Results resultLimits `json:"results"`
	Quota   quotaLimits  `json:"quota"`
}

type photoLimits struct {
	MaxBytes  int64    `json:"max_bytes"`
	MinSide   int      `json:"min_side_px"`
	MaxSide   int      `json:"max_side_px"`
	MaxPixels int      `json:"max_pixels"`
	Formats   []string `json:"formats"`
}

type waitLimits struct {
	MaxSeconds int64 `json:"max_seconds"`
}

type queueLimits struct {
	MaxPhotos int `json:"max_photos"`
}

type batchLimits struct {
	MaxItemsJSON     int   `json:"max_items_json"`
	MaxItemsManifest int   `json:"max_items_manifest"`
	MaxJSONBytes     int64 `json:"max_json_bytes"`
	MaxManifestBytes int64 `json:"max_manifest_bytes"`
	MaxArchiveBytes  int64 `json:"max_archive_bytes"`
	WindowSeconds    int64 `json:"window_seconds"`
}

type uploadLimits struct {
	MaxFiles    int   `json:"max_files"`
	LinkSeconds int64 `json:"link_seconds"`
	KeptSeconds int64 `json:"kept_seconds"`
}

// resultLimits says how long results are kept; 0: until they are deleted.
type resultLimits struct {
	KeptSeconds       int64 `json:"kept_seconds"` // of batches
	SingleKeptSeconds int64 `json:"single_kept_seconds"`
}

// quotaLimits is what one account may have at a time.
type quotaLimits struct {
	MaxPhotos  int `json:"max_photos"` // waiting or in work
	MaxBatches int `json:"max_batches"`
	MaxBodies  int `json:"max_batch_bodies"` // batches being sent to one front door
	MaxUploads int `json:"max_uploads"`      // links neither used nor expired
}

// getLimits answers GET /v1/limits.
func (s *Service) getLimits(c *fiber.Ctx) error {
	l, b := s.cfg.Photo, s.cfg.Batch
	return c.JSON(limits{
		Photo: photoLimits{
			MaxBytes: l.MaxBytes, MinSide: l.MinSide, MaxSide: l.MaxSide, MaxPixels: l.MaxPixels,
			Formats: []string{"jpeg", "png", "webp", "bmp"},
		},
		Wait:  waitLimits{MaxSeconds: inSeconds(s.cfg.Waiting.WaitLimit)},
		Queue: queueLimits{MaxPhotos: s.cfg.Admission.QueueLimit},
		Batch: batchLimits{
			MaxItemsJSON: b.MaxItemsJSON, MaxItemsManifest: b.MaxItems,
			MaxJSONBytes: b.MaxJSONBytes, MaxManifestBytes: b.MaxManifestBytes, MaxArchiveBytes: b.MaxArchiveBytes,
			WindowSeconds: inSeconds(b.Window),
		},
		Uploads: uploadLimits{MaxFiles: maxUploads, LinkSeconds: inSeconds(uploadLinkFor), KeptSeconds: inSeconds(uploadKeptFor)},
		Results: resultLimits{KeptSeconds: inSeconds(s.cfg.Erase.KeepBatches), SingleKeptSeconds: inSeconds(s.cfg.Erase.KeepStaff)},
		Quota: quotaLimits{
			MaxPhotos: s.cfg.Quota.Photos, MaxBatches: s.cfg.Quota.Batches, MaxBodies: s.cfg.Quota.Bodies, MaxUploads: s.cfg.Quota.Uploads,
		},
	})
}

func inSeconds(d time.Duration) int64 { return int64(d / time.Second) }
