package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
)

// batchRequest is the JSON body of POST /v1/batches: one of its members is there.
type batchRequest struct {
	Items    []json.RawMessage `json:"items"`
	S3Prefix *string           `json:"s3_prefix"`
}

// decodedJSON is how many times the bytes of a body its items and its manifest take.
const decodedJSON = 2

// leastForJSON is how much memory the door must have for the largest JSON body to fit
// into the share of it that batches have.
func leastForJSON(mostBytes int64) int64 {
	return batchesShare * ((1+decodedJSON)*(mostBytes+1) + imagestore.PartBytes)
}

// takeBatchJSON keeps the items as the lines of a manifest, so that the expander
// knows one form only.
func (s *Service) takeBatchJSON(c *fiber.Ctx, a *attempt, b *job.Batch) error {
	ctx, from, done, err := s.longBody(c, s.cfg.Batch.MaxJSONBytes)
	if err != nil {
		return err
	}
	defer done()
	body, release, err := s.readBytes(s.admission.ofBatch, from, s.cfg.Batch.MaxJSONBytes)
	if err != nil {
		if problem.From(err).Code == problem.CodeFileTooLarge {
			return batchTooLarge() // not the photo that readBytes means
		}
		return err
	}
	defer release()
	decoding := int64(decodedJSON * len(body))
	if !s.admission.ofBatch.take(decoding) {
		return tooBusy()
	}
	defer s.admission.ofBatch.give(decoding)
	request, err := parseBatchRequest(body, s.cfg.Batch.MaxItemsJSON)
	if err != nil {
		return err
	}
	if request.S3Prefix != nil {
		b.Source, b.Prefix = job.BatchFromPrefix, *request.S3Prefix
		return a.agree(ctx, sha256.Sum256([]byte(b.Prefix)))
	}
	b.Source, b.SourceKey, b.Announced = job.BatchFromManifest, imagestore.ManifestKey(*b), len(request.Items)
	return s.storeSource(ctx, a, source{key: b.SourceKey, contentType: ndjson, from: bytes.NewReader(manifestOf(request.Items)),
		fingerprint: new(fingerprintOfItems(request.Items))})
}

func parseBatchRequest(body []byte, mostItems int) (batchRequest, error) {
	var request batchRequest
	if err := readJSON(body, &request); err != nil {
		return request, err
	}
	switch {
	case (len(request.Items) == 0) == (request.S3Prefix == nil):
		return request, problem.New(http.StatusBadRequest, problem.CodeMissingField,
			"The request must have either “items” or “s3_prefix”.").WithField("items", "is missing or empty, or not alone")
	case len(request.Items) > mostItems:
		return request, tooManyItems(mostItems)
	case request.S3Prefix == nil:
		return request, nil
	}
	if _, _, err := job.ParseS3URI(*request.S3Prefix); err != nil {
		return request, problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "“s3_prefix” must be s3://bucket/prefix/.").
			WithField("s3_prefix", "must be s3://bucket/prefix/").WithCause(err)
	}
	return request, nil
}

// fingerprintOfItems takes no notice of how the items were written. It looks at one at a
// time, whose photo may be in it.
func fingerprintOfItems(items []json.RawMessage) [32]byte {
	all := sha256.New()
	for _, item := range items {
		one := fingerprintOfJSON(item)
		all.Write(one[:])
	}
	return [32]byte(all.Sum(nil))
}

// manifestOf writes each item on a line of its own.
func manifestOf(items []json.RawMessage) []byte {
	var lines bytes.Buffer
	for _, item := range items {
		_ = json.Compact(&lines, item) // it is JSON: it was just decoded
		lines.WriteByte('\n')
	}
	return lines.Bytes()
}
