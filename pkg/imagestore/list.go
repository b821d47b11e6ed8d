package imagestore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// Object is an object as a list shows it.
type Object struct {
	Key        string
	Bytes      int64
	ModifiedAt time.Time
}

// PhotoPrefix is what the keys of all objects of a photo begin with, whatever fence
// they were put under.
func PhotoPrefix(day string, id job.ID) string { return day + "/" + id.String() + "/" }

// PhotoOf gives the photo to which a key belongs, by OriginalKey's and ResultKey's
// rules. Other keys belong to none.
func PhotoOf(key string) (job.ID, bool) {
	found := photoKey.FindStringSubmatch(key)
	if found == nil {
		return job.ID{}, false
	}
	id, err := uuid.Parse(found[1])
	return id, err == nil
}

var (
	photoKey = regexp.MustCompile(`^\d{4}-\d\d-\d\d/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(?:original|\d+/[a-z0-9_-]+)$`)
	dayName  = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
)

// List gives every object whose key begins with prefix to each, a page at a time in
// the order of the keys, until each returns an error.
func (s *Store) List(ctx context.Context, prefix string, each func([]Object) error) error {
	if err := checkKey(strings.TrimSuffix(prefix, "/")); err != nil {
		return fmt.Errorf("listing objects: %w", err)
	}
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := s.nextPage(ctx, pages)
		if err != nil {
			return fmt.Errorf("listing %s: %w", prefix, err)
		}
		objects := make([]Object, len(page.Contents))
		for i, o := range page.Contents {
			objects[i] = Object{Key: aws.ToString(o.Key), Bytes: aws.ToInt64(o.Size), ModifiedAt: aws.ToTime(o.LastModified)}
		}
		if err := each(objects); err != nil {
			return err
		}
	}
	return nil
}

// Days gives the days under which objects lie, "2006-01-02", the oldest first.
func (s *Store) Days(ctx context.Context) ([]string, error) {
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Delimiter: aws.String("/")})
	var days []string
	for pages.HasMorePages() {
		page, err := s.nextPage(ctx, pages)
		if err != nil {
			return nil, fmt.Errorf("listing days: %w", err)
		}
		for _, common := range page.CommonPrefixes {
			if day := strings.TrimSuffix(aws.ToString(common.Prefix), "/"); dayName.MatchString(day) {
				days = append(days, day)
			}
		}
	}
	return days, nil
}

func (s *Store) nextPage(ctx context.Context, pages *s3.ListObjectsV2Paginator) (*s3.ListObjectsV2Output, error) {
	limited, cancel := context.WithTimeout(ctx, transferLimit)
	defer cancel()
	page, err := pages.NextPage(limited)
	return page, classify(ctx, err)
}

// DeleteUnder removes every object whose key begins with prefix and gives their
// number. After an error some may be left: call it again.
func (s *Store) DeleteUnder(ctx context.Context, prefix string) (removed int, err error) {
	for {
		var keys []string
		err := s.List(ctx, prefix, func(page []Object) error {
			for _, o := range page {
				keys = append(keys, o.Key)
			}
			return errFirstPage // what is deleted must not shift the pages behind it
		})
		if err != nil && !errors.Is(err, errFirstPage) {
			return removed, err
		}
		if len(keys) == 0 {
			return removed, nil
		}
		if err := s.Delete(ctx, keys...); err != nil {
			return removed, err
		}
		removed += len(keys)
	}
}

var errFirstPage = errors.New("one page is enough")
