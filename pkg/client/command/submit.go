package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"maskfleet/pkg/client"
	"maskfleet/pkg/client/submission"
)

const longSubmit = `Submits photos as one batch: files and folders, with their sub-folders; or an
archive; or a manifest; or everything below a prefix in S3.

Photos are known by their content, never by their name: JPEG, PNG, WebP and BMP.
Other files in a folder are told and left out. Photos go straight to the store
by signed links, several at a time. Each is named by a custom_id, by which you
find its result: its path as you gave it, or its name alone
(--custom-id-from name).

A zip or tar (also .tar.gz) is sent as it is; the path of a photo in it is its
custom_id.

A manifest has one JSON object a line (“-” reads it from the standard input):

  {"custom_id": "gate-7-0001", "image": {"url": "https://example.com/1.jpg"}}
  {"custom_id": "gate-7-0002", "image": {"s3_uri": "s3://photos/2.jpg"}, "metadata": {"gate": "7"}}

Without --wait the command ends when the batch is accepted, and prints its id.
With --wait it shows the progress, then prints the results, and its exit code is
0 only if every item succeeded.

Interrupted, by Ctrl-C or a power cut, the same command goes on where it was
within a day: photos that arrived are not sent again, and there will be one
batch, not two. The batch itself goes on meanwhile. --again submits anew.`

const exampleSubmit = `  maskfleet submit --wait photos/
  maskfleet submit --wait --format ndjson --custom-id-from name gate-7/*.jpg
  maskfleet submit --wait photos.zip
  maskfleet submit --wait --format csv --manifest photos.ndjson > results.csv
  maskfleet submit --s3 s3://photos/2026/11/`

// submitFlags are what submit can be told.
type submitFlags struct {
	manifest, prefix, naming string
	waiting                  waitFlags
	again                    bool
	parallel                 int
}

func (a *app) submitCommand() *cobra.Command {
	var flags submitFlags
	cmd := &cobra.Command{
		Use: "submit PATH... | --manifest FILE | --s3 URI", Short: "Submit photos as a batch",
		Long: longSubmit, Example: exampleSubmit,
		Args: func(_ *cobra.Command, paths []string) error { return flags.check(paths) },
		RunE: func(cmd *cobra.Command, paths []string) error { return a.submit(cmd.Context(), flags, paths) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.manifest, "manifest", "", "file with an item a line, as JSON; “-” for the standard input")
	f.StringVar(&flags.prefix, "s3", "", "submit every photo below this prefix, such as s3://photos/2026/")
	f.StringVar(&flags.naming, "custom-id-from", "path", "what names a photo: path or name")
	f.BoolVar(&flags.again, "again", false, "forget an interrupted submission and submit anew")
	f.IntVar(&flags.parallel, "parallel", 8, "photos sent at a time")
	flags.waiting.add(cmd)
	completes(cmd, "custom-id-from", "path", "name")
	return cmd
}

func (f submitFlags) check(paths []string) error {
	given := 0
	for _, has := range []bool{len(paths) > 0, f.manifest != "", f.prefix != ""} {
		if has {
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("submit needs either paths, or --manifest, or --s3")
	case f.naming != "path" && f.naming != "name":
		return fmt.Errorf("--custom-id-from is %q, want path or name", f.naming)
	case f.prefix != "" && !strings.HasPrefix(f.prefix, "s3://"):
		return fmt.Errorf("--s3 is %q, want s3://bucket/prefix/", f.prefix)
	case f.parallel < 1:
		return errors.New("--parallel must be at least 1")
	}
	return f.waiting.check()
}

// plan says what the paths and flags mean.
func (f submitFlags) plan(paths []string) (submission.Plan, error) {
	plan := submission.Plan{Paths: paths, Naming: submission.Naming(f.naming), File: f.manifest, Prefix: f.prefix}
	if plan.File != "" {
		plan.Kind = client.Manifest
	}
	for _, path := range paths {
		kind, err := submission.ArchiveKind(path)
		switch {
		case err != nil:
			return plan, err
		case kind == "":
		case len(paths) > 1:
			return plan, fmt.Errorf("%s is an archive: submit it by itself", path)
		case plan.Naming != submission.ByPath:
			return plan, fmt.Errorf("%s is an archive: photos in it are named by their paths", path)
		default:
			plan.Paths, plan.File, plan.Kind = nil, path, kind
		}
	}
	return plan, nil
}

func (a *app) submit(ctx context.Context, flags submitFlags, paths []string) error {
	c, account, err := a.client(longPatience)
	if err != nil {
		return err
	}
	plan, err := flags.plan(paths)
	if err != nil {
		return err
	}
	if flags.manifest == "-" {
		plan.File, err = a.spool()
		defer os.RemoveAll(plan.File)
		if err != nil {
			return err
		}
	}
	s, err := submission.Open(submission.Config{Folder: a.journals(), Account: account, Workers: flags.parallel}, plan)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // what must be on disk is
	if flags.again {
		if err := s.Restart(); err != nil {
			return err
		}
	}
	batch, err := a.makeBatch(ctx, c, s, plan)
	if err != nil {
		if s.Before() == (submission.Before{}) { // nothing was done, nothing is to be gone on with
			err = errors.Join(err, s.Forget())
		}
		return err
	}
	if flags.waiting.wait {
		batch, err = a.follow(ctx, c, batch.ID)
		if err != nil {
			return err
		}
		err = a.conclude(ctx, c, batch, flags.waiting.format)
	} else {
		fmt.Fprintln(a.Out, batch.ID)
		a.say("Accepted. To see how it goes: maskfleet watch %s", batch.ID)
	}
	if err != nil && !errors.Is(err, errNotAll) {
		return err
	}
	return errors.Join(err, s.Forget())
}

// findPhotos looks for what the front door would take, and tells what it would not.
func (a *app) findPhotos(ctx context.Context, c *client.Client, plan submission.Plan) ([]submission.Photo, error) {
	limits, err := c.Limits(ctx)
	if err != nil {
		return nil, err
	}
	found, err := submission.Find(plan.Paths, plan.Naming, limits.Photo.MaxBytes)
	if err != nil {
		return nil, err
	}
	const shown = 10
	for i, skipped := range found.Skipped {
		if i == shown {
			a.say("… and %s more.", counted(len(found.Skipped)-shown, "file"))
			break
		}
		a.say("Left out: %s: %s", printable(skipped.Path), skipped.Reason)
	}
	most := limits.Batch.MaxItemsManifest
	switch {
	case len(found.Photos) == 0:
		return nil, errors.New("no photos were found")
	case most > 0 && len(found.Photos) > most:
		return nil, fmt.Errorf("%s are more than the %s of a batch; submit their folders one by one",
			counted(len(found.Photos), "photo"), thousands(most))
	}
	return found.Photos, nil
}

// makeBatch sends what is to be sent and gives the batch, as it was when it was made.
func (a *app) makeBatch(ctx context.Context, c *client.Client, s *submission.Submission, plan submission.Plan) (client.Batch, error) {
	var photos []submission.Photo
	switch before := s.Before(); {
	case !before.AskedAt.IsZero():
		a.say("Going on with what was submitted at %s, with the photos of then; --again submits anew.", clock(before.AskedAt))
	case len(plan.Paths) > 0:
		var err error
		if photos, err = a.findPhotos(ctx, c, plan); err != nil {
			return client.Batch{}, err
		}
		if before.Uploaded > 0 {
			a.say("Going on: %s had arrived before the interruption.", counted(before.Uploaded, "photo"))
		}
	}
	if plan.Kind != "" && plan.Kind != client.Manifest {
		if info, err := os.Stat(plan.File); err == nil {
			a.say("Sending %s, %s.", printable(plan.File), megabytes(info.Size()))
		}
	}
	a.goOn = "Run the same command again to go on where it was."
	shown := &sending{app: a}
	batch, err := s.Run(ctx, c, photos, shown)
	shown.end()
	switch {
	case errors.Is(err, submission.ErrUncertain):
		return batch, fmt.Errorf("%w; look with “maskfleet status”, and submit anew with --again if it did not", err)
	case gone(err) && s.Before().BatchID != "":
		return batch, fmt.Errorf("%w; --again submits anew", err)
	}
	return batch, err
}

// gone says whether the front door knows of the thing no more.
func gone(err error) bool {
	var refused *client.APIError
	return errors.As(err, &refused) && (refused.Status == http.StatusNotFound || refused.Status == http.StatusGone)
}

// sending shows photos on their way.
type sending struct {
	app   *app
	meter *meter // nil: nothing is sent
	done  int
	total int
}

func (s *sending) Sending(photos int, size int64) {
	if photos == 0 {
		return
	}
	s.total = photos
	s.app.say("Sending %s, %s.", counted(photos, "photo"), megabytes(size))
	s.meter = s.app.meter("Sending", photos)
}

func (s *sending) Sent(int64) {
	s.done++
	s.meter.set(s.done, s.total, "Sending")
}

func (s *sending) end() {
	if s.meter != nil {
		s.meter.end()
	}
}

// spool keeps the standard input in a file, which can be read twice.
func (a *app) spool() (path string, err error) {
	file, err := os.CreateTemp("", "maskfleet-manifest-*")
	if err != nil {
		return "", fmt.Errorf("keeping the manifest: %w", err)
	}
	_, err = io.Copy(file, a.In)
	if err := errors.Join(err, file.Close()); err != nil {
		return file.Name(), fmt.Errorf("keeping the manifest: %w", err)
	}
	return file.Name(), nil
}
