package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	slashpath "path"
	"time"

	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/linkfetch"
	"maskfleet/pkg/photofile"
)

// entry is an item as its source gives it.
type entry struct {
	line  int // for the client: of the manifest, or the place in the archive
	item  job.Item
	fault error         // what is wrong with the line; the item then has at most its name
	code  job.BatchCode // of the fault
	data  func() ([]byte, error)
	bytes int64 // about as much memory as data needs
}

// itemSource gives the items of a batch, the same in the same order every time. It
// gives each entry to visit, which may keep nothing of it; data of an entry is for
// visit alone, and nil where the photo is elsewhere.
type itemSource interface {
	each(ctx context.Context, visit func(entry) error) error
}

// check reads all of a batch before a photo of it is stored. It keeps a digest of
// every name, and of what is wrong the first few lines.
func (e *expander) check(ctx context.Context, source itemSource) error {
	seen := map[[16]byte]int{}
	var faults []job.LineFault
	err := source.each(ctx, func(n entry) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		code, fault := n.code, n.fault
		if fault == nil {
			code, fault = job.BatchCodeInvalidManifest, checkLinkOf(n.item)
		}
		if fault == nil {
			digest := nameDigest(n.item.CustomID)
			first, twice := seen[digest]
			if twice {
				code, fault = job.BatchCodeDuplicateCustomID, fmt.Errorf("has the same “custom_id” as line %d", first)
			} else if seen[digest] = n.line; len(seen) > e.limits.items {
				return &job.BatchFailure{
					Code: job.BatchCodeTooManyItems, Message: fmt.Sprintf("The batch has more than %d items.", e.limits.items),
				}
			}
		}
		if fault != nil && len(faults) < job.MaxLineFaults {
			faults = append(faults, job.LineFault{Line: n.line, CustomID: n.item.CustomID, Code: code, Message: fault.Error()})
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(faults) > 0:
		return &job.BatchFailure{
			Code: faults[0].Code, Message: "Some lines of the batch cannot be used; nothing of it was looked at.", Lines: faults,
		}
	case len(seen) == 0:
		return &job.BatchFailure{Code: job.BatchCodeNoItems, Message: "The batch has no items."}
	}
	return nil
}

func nameDigest(name string) [16]byte {
	sum := sha256.Sum256([]byte(name))
	return [16]byte(sum[:16])
}

func checkLinkOf(item job.Item) error {
	if item.Image.URL == "" {
		return nil
	}
	if err := linkfetch.CheckLink(item.Image.URL); err != nil {
		return fmt.Errorf("“url” cannot be used: %w", err)
	}
	return nil
}

// insert stores the items that have no row yet, chunk by chunk: first their
// originals, then their rows.
func (e *expander) insert(ctx context.Context, x jobstore.Expansion, source itemSource) error {
	var chunk []job.Photo
	var puts *errgroup.Group
	line := 0
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		if err := puts.Wait(); err != nil {
			return err
		}
		added, err := e.store.AddItems(ctx, x.Batch.ID, x.Holder, chunk)
		if err == nil && !added {
			err = errLeaseLost
		}
		if err == nil {
			e.items.Add(float64(len(chunk)))
		}
		chunk = chunk[:0]
		return err
	}
	err := source.each(ctx, func(n entry) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if line++; line <= x.Lines {
			return nil
		}
		if len(chunk) == 0 {
			puts = &errgroup.Group{}
			puts.SetLimit(putsAtOnce)
		}
		p := photoOf(x.Batch, line, n.item)
		if n.data != nil {
			p.OriginalKey = imagestore.OriginalKey(p)
			if err := e.storeMember(ctx, puts, p.OriginalKey, n); err != nil {
				return errors.Join(err, puts.Wait())
			}
		}
		if chunk = append(chunk, p); len(chunk) < itemsAtOnce {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	} else if puts != nil {
		err = errors.Join(err, puts.Wait())
	}
	if err != nil {
		return err
	}
	done, err := e.store.Expanded(ctx, x.Batch.ID, x.Holder)
	if err == nil && !done {
		return errLeaseLost
	}
	return err
}

// storeMember unpacks a photo as soon as there is memory for it, and sends it to S3
// beside others.
func (e *expander) storeMember(ctx context.Context, puts *errgroup.Group, key string, n entry) error {
	release, err := e.memory.wait(ctx, n.bytes)
	if err != nil {
		return err
	}
	data, err := n.data()
	if err != nil {
		release()
		return err
	}
	puts.Go(func() error {
		defer release()
		return e.images.Put(ctx, key, "application/octet-stream", data)
	})
	return nil
}

// photoOf is the photo of an item, the line-th of its batch.
func photoOf(b job.Batch, line int, item job.Item) job.Photo {
	p := job.Photo{
		ID: job.ItemID(b.ID, line), OwnerID: b.OwnerID, Lane: job.LaneBatch,
		BatchID: b.ID, BatchLine: line, CustomID: item.CustomID, Run: b.Run,
		Filename: fileNameOf(item), Metadata: item.Metadata, TraceParent: b.TraceParent,
		CreatedAt: b.CreatedAt.UTC().Truncate(time.Microsecond), Row: job.Accepted(),
	}
	switch image := item.Image; {
	case image.URL != "":
		p.Source, p.Link = job.SourceLink, image.URL
	case image.S3URI != "":
		p.Source, p.Link = job.SourceS3, image.S3URI
	case image.UploadID != "":
		p.Source, p.Link = job.SourceSigned, image.UploadID
	default:
		p.Source = job.SourceMember
	}
	return p
}

// fileNameOf is a name under which the photo may be shown: the last part of its
// custom_id, if that can be one.
func fileNameOf(item job.Item) string {
	name, err := photofile.CleanName(slashpath.Base(item.CustomID))
	if err != nil {
		return ""
	}
	return name
}
