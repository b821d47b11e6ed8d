package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	longPollSeconds = 25
	// longestRefusal is for how long a front door may answer "later" to a photo.
	longestRefusal = 5 * time.Minute
	longestPause   = 30 * time.Second
	usualPause     = time.Second
)

// door speaks to the front door as any integrator does: the HTTP API of
// docs/api.md, through the balancer.
type door struct {
	url    string
	apiKey string
	client *http.Client
}

func newDoor(url, apiKey string) *door {
	return &door{
		url: url, apiKey: apiKey,
		client: &http.Client{
			Transport: &http.Transport{MaxIdleConnsPerHost: demoInFlight},
			Timeout:   (longPollSeconds + 35) * time.Second,
		},
	}
}

// outcome is what came of a photo.
type outcome struct {
	photo                   demoPhoto
	faces, masked, unmasked int
	took                    time.Duration // from its acceptance to its result, in the product's own words
	failure                 string        // a sentence; empty if it succeeded
}

// detection is what the demo reads of the API's answer about a photo.
type detection struct {
	ID          string `json:"id"`
	Status      string `json:"status"`
	NumFaces    int    `json:"num_faces"`
	NumMasked   int    `json:"num_masked"`
	NumUnmasked int    `json:"num_unmasked"`
	TimingMS    struct {
		Total int64 `json:"total"`
	} `json:"timing_ms"`
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

func (d detection) open() bool { return d.Status == "queued" || d.Status == "processing" }

// detect submits a photo and waits for its result.
func (d *door) detect(ctx context.Context, photo demoPhoto) outcome {
	found, err := d.submit(ctx, photo)
	for err == nil && found.open() {
		found, err = d.wait(ctx, found.ID)
	}
	o := outcome{photo: photo}
	switch {
	case err != nil:
		o.failure = err.Error()
	case found.Error != nil:
		o.failure = fmt.Sprintf("%s (%s)", found.Error.Message, found.Error.Code)
	case found.Status != "succeeded":
		o.failure = "It ended as " + found.Status + "."
	default:
		o.faces, o.masked, o.unmasked = found.NumFaces, found.NumMasked, found.NumUnmasked
		o.took = time.Duration(found.TimingMS.Total) * time.Millisecond
	}
	return o
}

func (d *door) submit(ctx context.Context, photo demoPhoto) (detection, error) {
	return d.persist(ctx, func() (*http.Request, error) {
		form, err := openForm(photo)
		if err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/v1/detections", form)
		if err != nil {
			return nil, errors.Join(err, form.Close())
		}
		request.ContentLength = form.length
		request.Header.Set("Content-Type", form.contentType)
		return request, nil
	})
}

func (d *door) wait(ctx context.Context, id string) (detection, error) {
	return d.persist(ctx, func() (*http.Request, error) {
		url := fmt.Sprintf("%s/v1/detections/%s?wait=%d", d.url, id, longPollSeconds)
		return http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	})
}

// persist asks again for as long as the front door says "later".
func (d *door) persist(ctx context.Context, request func() (*http.Request, error)) (detection, error) {
	giveUp := time.Now().Add(longestRefusal)
	for {
		asked, err := request()
		if err != nil {
			return detection{}, err
		}
		found, err := d.ask(asked)
		var later *laterError
		if !errors.As(err, &later) || time.Now().Add(later.pause).After(giveUp) {
			return found, err
		}
		if err := pause(ctx, later.pause); err != nil {
			return detection{}, err
		}
	}
}

// laterError is a refusal for now, with the sentence that came with it.
type laterError struct {
	pause    time.Duration
	sentence string
}

func (e *laterError) Error() string { return e.sentence }

func (d *door) ask(request *http.Request) (detection, error) {
	request.Header.Set("Authorization", "Bearer "+d.apiKey)
	response, err := d.client.Do(request)
	if err != nil {
		return detection{}, fmt.Errorf("asking the front door: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return detection{}, fmt.Errorf("reading the front door's answer: %w", err)
	}
	switch response.StatusCode {
	case http.StatusOK, http.StatusAccepted:
		var found detection
		if err := json.Unmarshal(body, &found); err != nil {
			return detection{}, fmt.Errorf("reading the front door's answer: %w", err)
		}
		return found, nil
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return detection{}, &laterError{pause: retryAfter(response.Header), sentence: sentenceOf(response.Status, body)}
	default:
		return detection{}, errors.New(sentenceOf(response.Status, body))
	}
}

// sentenceOf is the sentence of a problem document, or the status of any other
// answer, such as the balancer's own.
func sentenceOf(status string, body []byte) string {
	var problem struct {
		Detail string `json:"detail"`
		Code   string `json:"code"`
	}
	if err := json.Unmarshal(body, &problem); err != nil || problem.Detail == "" {
		return "The front door answered " + status + "."
	}
	return fmt.Sprintf("%s (%s)", problem.Detail, problem.Code)
}

func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return usualPause
	}
	return min(time.Duration(seconds)*time.Second, longestPause)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// form is a multipart body around a file, which is read as it is sent.
type form struct {
	io.Reader
	io.Closer
	length      int64
	contentType string
}

func openForm(photo demoPhoto) (*form, error) {
	file, err := os.Open(photo.path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is not a file", photo.path), file.Close())
	}
	var around bytes.Buffer
	writer := multipart.NewWriter(&around)
	_, err = writer.CreateFormFile("file", filepath.Base(photo.path))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	before := around.Len()
	if err := writer.Close(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	head, tail := around.Bytes()[:before], around.Bytes()[before:]
	return &form{
		Reader:      io.MultiReader(bytes.NewReader(head), io.LimitReader(file, info.Size()), bytes.NewReader(tail)),
		Closer:      file,
		length:      int64(around.Len()) + info.Size(),
		contentType: writer.FormDataContentType(),
	}, nil
}
