package submission

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"maskfleet/pkg/client"
)

const (
	// resumable is how long an interrupted submission is gone on with, and how long
	// the front door remembers an idempotency key, less what clocks may differ.
	resumable = 23 * time.Hour
	// mostWanted is how many links are asked for at once.
	mostWanted     = 100
	defaultWorkers = 8
)

// ErrUncertain is a batch that was asked for so long ago, without an answer, that the
// front door no longer knows whether it made one.
var ErrUncertain = errors.New("it cannot be known any more whether the interrupted submission made a batch")

// Plan says what is submitted: the photos below Paths, or the File as it is, or the
// photos below a Prefix in S3. The same plan for the same account is the same
// submission.
type Plan struct {
	Paths  []string
	Naming Naming

	File   string // a manifest or an archive
	Kind   string // of the file: client.Manifest, Zip, Tar or TarGz
	Prefix string // s3://bucket/prefix/
}

// Config says where the journals are and whose they are.
type Config struct {
	Folder  string // for the journals of all submissions
	Account string // server and key, or whatever tells accounts apart; only its digest is kept
	Workers int    // photos sent side by side; zero: 8
}

// Submission is one plan under way. It belongs to one process at a time.
type Submission struct {
	plan    Plan
	journal *journal
	workers int
}

// Open begins a submission, or goes on with one that was interrupted. The caller
// closes it.
func Open(cfg Config, plan Plan) (*Submission, error) {
	name, err := plan.fingerprint(cfg.Account)
	if err != nil {
		return nil, err
	}
	j, err := openJournal(filepath.Join(cfg.Folder, name))
	if err != nil {
		return nil, err
	}
	s := &Submission{plan: plan, journal: j, workers: cfg.Workers}
	if s.workers <= 0 {
		s.workers = defaultWorkers
	}
	if j.made != nil && time.Since(j.made.At) > resumable { // whoever comes back so late means a new one
		if err := j.restart(); err != nil {
			return nil, errors.Join(err, j.close())
		}
	}
	return s, nil
}

// fingerprint names the plan. That of a file is its content.
func (p Plan) fingerprint(account string) (string, error) {
	parts := []string{account, string(p.Naming), p.Prefix}
	for _, path := range p.Paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return "", fmt.Errorf("naming the submission: %w", err)
		}
		// Names depend on how a path was given.
		parts = append(parts, absolute+"\x00"+filepath.Clean(path))
	}
	slices.Sort(parts[3:])
	if p.File != "" {
		file, err := os.Open(p.File)
		if err != nil {
			return "", err
		}
		defer file.Close()
		content := sha256.New()
		if _, err := io.Copy(content, file); err != nil {
			return "", fmt.Errorf("reading %s: %w", p.File, err)
		}
		parts = append(parts, p.Kind+" "+hex.EncodeToString(content.Sum(nil)))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x01")))
	return hex.EncodeToString(sum[:16]), nil
}

// Before is what an interrupted submission had done.
type Before struct {
	Uploaded int       // photos
	AskedAt  time.Time // for the batch, whose photos are settled since then; zero: it was not
	BatchID  string    // empty: no answer is known
}

// Before says where an earlier process was interrupted; all zero: there was none.
func (s *Submission) Before() Before {
	b := Before{Uploaded: len(s.journal.uploads)}
	if asked := s.journal.posting; asked != nil {
		b.AskedAt = asked.At
	}
	if made := s.journal.made; made != nil {
		b.BatchID = made.BatchID
	}
	return b
}

// Restart forgets what an interrupted submission had done.
func (s *Submission) Restart() error { return s.journal.restart() }

// Forget is called when the submission has come to its end, so that the same plan
// will be a new one.
func (s *Submission) Forget() error { return s.journal.forget() }

// ForgetBatch is Forget for whoever knows the batch only, which has come to its end.
func ForgetBatch(folder, batchID string) error {
	journals, err := filepath.Glob(filepath.Join(folder, "*", journalName))
	if err != nil {
		return fmt.Errorf("looking for journals: %w", err)
	}
	for _, path := range journals {
		j, err := openJournal(filepath.Dir(path))
		if errors.Is(err, errBusy) {
			continue // who has it will forget it
		}
		if err != nil {
			return err
		}
		if j.made != nil && j.made.BatchID == batchID {
			err = j.forget()
		}
		if err := errors.Join(err, j.close()); err != nil {
			return err
		}
	}
	return nil
}

// Close lets another process go on with the submission.
func (s *Submission) Close() error { return s.journal.close() }

// Progress is told how the sending comes along; its methods are not called at the
// same time.
type Progress interface {
	// Sending begins it: so many photos are to be sent.
	Sending(photos int, size int64)
	// Sent is another photo that has arrived.
	Sent(size int64)
}

// Run gives the batch, which it makes unless that was done before. photos are those
// of the plan's Paths; they are not looked at if the batch was asked for before.
func (s *Submission) Run(ctx context.Context, c *client.Client, photos []Photo, progress Progress) (client.Batch, error) {
	if made := s.journal.made; made != nil {
		b, err := c.Batch(ctx, made.BatchID)
		if err != nil {
			return b, fmt.Errorf("looking for batch %s of the interrupted submission: %w", made.BatchID, err)
		}
		return b, nil
	}
	if s.journal.posting == nil {
		if err := s.prepare(ctx, c, photos, progress); err != nil {
			return client.Batch{}, err
		}
		if err := s.journal.note(record{Kind: posting, Key: client.NewIdempotencyKey()}); err != nil {
			return client.Batch{}, err
		}
	}
	return s.post(ctx, c)
}

// prepare does what precedes the posting: nothing, unless photos lie here.
func (s *Submission) prepare(ctx context.Context, c *client.Client, photos []Photo, progress Progress) error {
	if len(s.plan.Paths) == 0 {
		return nil
	}
	if err := s.send(ctx, c, photos, progress); err != nil {
		return err
	}
	var manifest bytes.Buffer
	lines := json.NewEncoder(&manifest)
	lines.SetEscapeHTML(false)
	for _, photo := range photos {
		item := client.Item{CustomID: photo.CustomID, Image: client.Image{UploadID: s.journal.uploads[photo.Path].UploadID}}
		if err := lines.Encode(item); err != nil {
			return fmt.Errorf("writing the manifest: %w", err)
		}
	}
	return s.journal.writeManifest(&manifest)
}

// post asks for the batch, for the first time or again: the key makes that the same.
func (s *Submission) post(ctx context.Context, c *client.Client) (client.Batch, error) {
	if time.Since(s.journal.posting.At) > resumable {
		return client.Batch{}, ErrUncertain
	}
	b, err := s.create(ctx, c, client.WithIdempotencyKey(s.journal.posting.Key))
	var no *client.APIError
	if errors.As(err, &no) && forGood(no.Status) {
		return b, errors.Join(err, s.journal.note(record{Kind: refused}))
	}
	if err != nil {
		return b, err
	}
	return b, s.journal.note(record{Kind: made, BatchID: b.ID})
}

// forGood says that the front door has made no batch and will make none of this
// request.
func forGood(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusConflict
}

func (s *Submission) create(ctx context.Context, c *client.Client, key client.CallOption) (client.Batch, error) {
	if s.plan.Prefix != "" {
		return c.CreateBatchFromS3(ctx, s.plan.Prefix, key)
	}
	path, kind := s.plan.File, s.plan.Kind
	if path == "" {
		path, kind = s.journal.manifestPath(), client.Manifest
	}
	content, err := client.FromFile(path)
	if err != nil {
		return client.Batch{}, fmt.Errorf("reading what is to be submitted: %w", err)
	}
	return c.CreateBatchFrom(ctx, kind, content, key)
}
