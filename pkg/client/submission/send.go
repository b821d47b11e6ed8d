package submission

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/client"
)

// atLeastKept is how long an upload must still be kept to be relied upon.
const atLeastKept = time.Hour

// send sends the photos that were not sent before, or have changed since.
func (s *Submission) send(ctx context.Context, c *client.Client, photos []Photo, progress Progress) error {
	missing := slices.DeleteFunc(slices.Clone(photos), s.wasSent)
	var size int64
	for _, photo := range missing {
		size += photo.Bytes
	}
	progress.Sending(len(missing), size)
	var mu sync.Mutex // guards the journal and progress
	sent := func(photo Photo, at client.Upload) error {
		mu.Lock()
		defer mu.Unlock()
		progress.Sent(photo.Bytes)
		return s.journal.note(record{
			Kind: uploaded, Path: photo.Path, Bytes: photo.Bytes, ModTime: photo.ModTime,
			UploadID: at.ID, KeptUntil: at.KeptUntil,
		})
	}
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(s.workers)
	for some := range slices.Chunk(missing, mostWanted) {
		links, err := linksFor(ctx, c, some)
		if err != nil {
			return firstOf(workers.Wait(), err)
		}
		for i, photo := range some {
			workers.Go(func() error { // waits here while all are busy
				at, err := sendOne(ctx, c, photo, links[i])
				if err != nil {
					return fmt.Errorf("sending %s: %w", photo.Path, err)
				}
				return sent(photo, at)
			})
		}
	}
	return workers.Wait()
}

// firstOf prefers the worker's error, of which the other may be a consequence.
func firstOf(worker, other error) error {
	if worker != nil {
		return worker
	}
	return other
}

func (s *Submission) wasSent(photo Photo) bool {
	before, ok := s.journal.uploads[photo.Path]
	return ok && before.Bytes == photo.Bytes && before.ModTime.Equal(photo.ModTime) &&
		time.Until(before.KeptUntil) > atLeastKept
}

func linksFor(ctx context.Context, c *client.Client, photos []Photo) ([]client.Upload, error) {
	files := make([]client.UploadFile, len(photos))
	for i, photo := range photos {
		files[i] = client.UploadFile{Filename: shownName(photo.Path), ContentType: photo.ContentType, Bytes: photo.Bytes}
	}
	links, err := c.CreateUploads(ctx, files)
	if err == nil && len(links) != len(files) {
		err = fmt.Errorf("%d came", len(links))
	}
	if err != nil {
		return nil, fmt.Errorf("asking for %d links: %w", len(files), err)
	}
	return links, nil
}

// shownName is the file's name, or nothing if the front door would not show it.
func shownName(path string) string {
	name := filepath.Base(path)
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || !unicode.IsPrint(r) }) {
		return ""
	}
	return name
}

// sendOne asks for another link once, if this one has expired meanwhile: machines
// sleep.
func sendOne(ctx context.Context, c *client.Client, photo Photo, to client.Upload) (client.Upload, error) {
	content, err := client.FromFile(photo.Path)
	if err != nil {
		return to, err
	}
	if content.Length != photo.Bytes {
		return to, errors.New("the file has just changed; submit again when it is finished")
	}
	err = c.Put(ctx, to, content)
	var no *client.APIError
	if !errors.As(err, &no) || no.Status != http.StatusForbidden {
		return to, err
	}
	links, err := linksFor(ctx, c, []Photo{photo})
	if err != nil {
		return to, err
	}
	return links[0], c.Put(ctx, links[0], content)
}
